"""`stylegan-ada augment-check`: whether augmentations end up in what a generator makes."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UserError, cannot_write
from ..files import atomic_path, write_text
from ..options import TrainOptions
from ..resolve import check_options
from .common import DEVICES, Choice, choose_device, keep_freed_memory, tune_convolutions
from .train import check_apart, check_same_options, configure, machine_of, run, say

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from ..augment import AugmentPipe
    from ..augment.probes import Probe
    from ..datasets import ImageDataset
    from ..metrics.leaks import AugmentationReader

SHEET = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # rows, by p
COLUMNS = 12
MOST_REAL = 2000  # to learn from: a support vector machine's time grows with their square
GENERATED = 4000
AS_IT_IS = "as it is"
LEARNED = 0.8  # share of images at p = 0 that must look so, for the others to say anything


@click.command("augment-check")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder; the same command goes on.")
@click.option("--data", default="sample:digits", show_default=True, help="A folder, a .zip, or sample:NAME.")
@click.option("--size", default="8", show_default=True, help="Pixels: small images tell the same sooner.")
@click.option("--augment", help="Groups of augmentations, as for train; none for those of --augment-extra alone.")
@click.option("--augment-extra", metavar="FILE", help="Own augmentations, as for train.")
@click.option("--p", default=0.6, show_default=True, help="At which to check.")
@click.option("--kimg", default=100.0, show_default=True, help="Of each of three runs; 0 for the sheet alone.")
@click.option("--seed", type=int, help="Of everything random.")
@click.option("--device", type=Choice(DEVICES), default="auto")
def augment_check(
    out: Path,
    data: str,
    size: str,
    augment: str | None,
    augment_extra: str | None,
    p: float,
    kimg: float,
    seed: int | None,
    device: str,
) -> None:
    """Show what augmentations do, and whether they leak into generated images.

    Writes sheet.png: images augmented at several p. Then trains three small generators, at p = 0, at --p and at 1, and
    tells by a classifier in how many of their images each augmentation shows.
    """
    keep_freed_memory()
    from .. import distributed

    if not 0 < p < 1:
        raise UserError(f"--p {p}: give a probability between 0 and 1")
    if not kimg >= 0:
        raise UserError(f"--kimg {kimg}: give 0 or more")
    if not data.startswith("sample:"):
        data = str(Path(data).resolve())
        check_apart(out, Path(data))
    check_folder(out)
    where = choose_device(device)
    tune_convolutions()
    options = TrainOptions(
        data=data,
        device=device,
        size=size,
        augment=augment,
        augment_extra=augment_extra,
        seed=seed,
        kimg=kimg or 1,
        batch=32,
        precision="fp32",
        channel_base=2048,
        channel_max=64,
        evaluate_kimg=0,
    )
    check_options(options, machine_of(where))
    distributed.start(where)
    try:
        check(out, options, p, where, sheet_only=kimg == 0)
    finally:
        distributed.stop()


def check(out: Path, options: TrainOptions, p: float, device: "torch.device", sheet_only: bool) -> None:
    """Writes the sheet, trains, and tells what was found."""
    from .. import distributed
    from ..augment import AugmentPipe
    from ..augment.probes import probes
    from ..training import RunFolder

    folders = {value: RunFolder(out / f"p-{value:g}") for value in (0.0, p, 1.0)}
    runs = {value: dataclasses.replace(options, ada_p=value) for value in folders}
    for value, folder in folders.items():
        if folder.has_begun():
            check_same_options(runs[value], folder)
    config, dataset = distributed.first_rank_first(lambda: configure(runs[0.0], folders[0.0], device))
    image_shape = config.network.image_shape
    pipe = AugmentPipe(config.augment.groups, image_shape, config.augment.extra).to(device)
    to_find = probes(config.augment.groups, config.augment.extra, image_shape)
    if not to_find:
        raise UserError("--augment none: there is nothing to check, name groups or give --augment-extra")
    if distributed.rank() == 0:
        write_sheet(out / "sheet.png", pipe, dataset, device)
    say(f"{out / 'sheet.png'}: real images augmented at p = {', '.join(f'{row:g}' for row in SHEET)}")
    if sheet_only:
        return
    reader = learn(to_find, dataset, device) if distributed.rank() == 0 else None
    for value, folder in folders.items():
        say(f"training at p = {value:g} in {folder.path}")
        augment = dataclasses.replace(config.augment, p=value)
        run(dataclasses.replace(config, augment=augment), runs[value], dataset, folder, device)
    if reader is not None:
        shares = {value: shares_of(folder.path, reader, device) for value, folder in folders.items()}
        report(out, reader.recognised(), shares, p)


def check_folder(out: Path) -> None:
    """Nothing is written among files of another kind."""
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}: that is a file, give a folder")
    others = {item.name for item in out.iterdir() if not item.name.startswith("p-")} if out.exists() else set()
    if others - {"sheet.png", "leaks.json"}:
        raise UserError(f"--out {out}: the folder holds other files ({min(others)}), give a new one")


def write_sheet(path: Path, pipe: "AugmentPipe", dataset: "ImageDataset", device: "torch.device") -> None:
    """A row per p of the same images with the same draws, so that more and more of them fire."""
    import torch

    from ..grids import image_grid
    from ..random import Draws

    images = real_images(dataset, COLUMNS).to(device)
    indices = torch.arange(len(images), device=device)
    rows = [pipe(images, Draws(0, "sheet", indices), torch.tensor(p, device=device)) for p in SHEET]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(error, f"--out {path.parent}: cannot write there ({error.strerror})") from None
    with atomic_path(path) as temporary:
        image_grid([as_pixels(row) for row in rows], [f"p = {p:g}" for p in SHEET]).save(temporary)


def learn(to_find: "dict[str, Probe]", dataset: "ImageDataset", device: "torch.device") -> "AugmentationReader":
    """A reader of what `to_find` makes of real images."""
    import torch

    from ..metrics.leaks import AugmentationReader
    from ..random import Draws

    images = real_images(dataset, MOST_REAL).to(device)
    draws = {name: Draws(0, f"probe/{name}", torch.arange(len(images), device=device)) for name in to_find}
    changed = {name: probe(images, draws[name]) for name, probe in to_find.items()}
    return AugmentationReader({name: as_rows(as_pixels(part)) for name, part in {AS_IT_IS: images, **changed}.items()})


def shares_of(run_folder: Path, reader: "AugmentationReader", device: "torch.device") -> dict[str, float]:
    """By name, the share of generated images that look augmented."""
    from ..sampling import load_generator

    return reader.shares(as_rows(load_generator(run_folder, device).sample(range(GENERATED))))


def report(out: Path, recognised: dict[str, float], shares: dict[float, dict[str, float]], p: float) -> None:
    """The table, what it says, and leaks.json."""
    from ..metrics.leaks import leaks

    columns = ["", "recognised", *(f"p = {value:g}" for value in shares)]
    lines = ["".join(f"{column:>12}" if column else f"{'':24}" for column in columns)]
    for name, right in recognised.items():
        values = [right, *(found[name] for found in shares.values())]
        lines.append(f"{name:24}" + "".join(f"{value:12.1%}" for value in values))
    lines += [
        f"recognised: of real images so augmented, those that the classifier takes for it; p: of {GENERATED} images of "
        "a generator trained at that p",
        "",
    ]
    if shares[0.0][AS_IT_IS] < LEARNED:
        lines.append(
            f"at p = 0 only {shares[0.0][AS_IT_IS]:.0%} look like real images as they are: the generators have not "
            "learned enough to tell, give a larger --kimg"
        )
    changed = [name for name in recognised if name != AS_IT_IS]
    leaking = [name for name in changed if leaks(shares[p][name], shares[0.0][name], GENERATED)]
    unseen = [name for name in changed if not leaks(shares[1.0][name], shares[0.0][name], GENERATED)]
    for name in leaking:
        more = shares[p][name] - shares[0.0][name]
        lines.append(f"{name} leaks at p = {p:g}: {more:+.1%} of the images; leave it out, or cap p lower by --ada-max")
    if not leaking:
        lines.append(f"at p = {p:g} nothing leaks: no augmentation shows in 2% more of the images than at p = 0")
    if unseen:
        lines.append(not_shown(unseen, max(changed, key=shares[1.0].__getitem__), shares[1.0]))
    click.echo("\n" + "\n".join(lines))
    found = {"p": p, "generated": GENERATED, "recognised": recognised, "leaking": leaking, "not_shown": unseen}
    by_p = {f"{value:g}": values for value, values in shares.items()}
    write_text(out / "leaks.json", json.dumps({**found, "shares": by_p}, indent=1) + "\n")


def not_shown(unseen: list[str], commonest: str, at_one: dict[str, float]) -> str:
    """What it means that augmentations are not found where they are applied to every image, at p = 1."""
    names = ", ".join(unseen)
    if at_one[commonest] > 0.5:
        return (
            f"at p = 1, where every image is augmented, {at_one[commonest]:.0%} are taken for {commonest}, and each is "
            f"counted once: whether {names} would be found there, only a check without {commonest} can tell"
        )
    return f"not found at p = 1 either: {names}; that they are not found at a lower p says nothing then"


def real_images(dataset: "ImageDataset", most: int) -> "torch.Tensor":
    """Images spread evenly over the set, float32 [N, C, H, W] in [-1, 1]."""
    import numpy as np
    import torch

    chosen = np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(np.int64)
    return torch.from_numpy(dataset.images[chosen]).float() / 127.5 - 1


def as_pixels(images: "torch.Tensor") -> "NDArray[np.uint8]":
    """[N, C, H, W] in [-1, 1] -> uint8 [N, H, W, C]."""
    from ..sampling import to_uint8

    return to_uint8(images).permute(0, 2, 3, 1).cpu().numpy()


def as_rows(pixels: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    import numpy as np

    return pixels.reshape(len(pixels), -1).astype(np.float32)
