"""`stylegan-ada generate images` and `grid`."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config.settings import Range
from ..devices import choose_device
from ..errors import UserError, nearest
from ..files import check_new_folder
from ..progress import Progress
from .common import DEVICE, PATH, PRECISION, RUN, Number, check_picture, new_folder, progress_bar
from .latent_files import TUNING, open_latents, open_tuning

if TYPE_CHECKING:
    from ..sampling import TrainedGenerator

BATCH = 32


@click.command()
@RUN
@click.option("--out", required=True, type=PATH, help="A new folder.")
@click.option("--count", type=Number(int), help="Number of images.")
@click.option("--label", help="Generate only this class.")
@click.option("--balanced", is_flag=True, help="The same number of each class; otherwise in the training set's shares.")
@click.option(
    "--psi",
    "truncation_psi",
    type=Number(float),
    default=1.0,
    show_default=True,
    help="Truncation psi: below 1, images are cleaner and more alike.",
)
@click.option("--seeds", help="A range A-B, both included; otherwise 0 to count - 1.")
@click.option("--latents", "file", type=PATH, help="Render all latents of this .npz file instead.")
@TUNING
@PRECISION
@DEVICE
def images(
    run: Path,
    out: Path,
    count: int | None,
    label: str | None,
    balanced: bool,
    truncation_psi: float,
    seeds: str | None,
    file: Path | None,
    tuning: Path | None,
    precision: str,
    device: str,
) -> None:
    """Write images in class folders, and manifest.csv.

    The manifest's columns are file, seed, label and psi. With --latents, also writes grid.png, and uses the tuned
    weights of --tuning, or of the .safetensors file beside the latents.
    """
    from ..sampling import check_truncation_psi, load_generator

    check_new_folder(out)
    check_truncation_psi(truncation_psi)
    if file is None and tuning is not None:
        raise UserError("--tuning: it goes with --latents FILE")
    if file is not None and (
        count is not None or label is not None or balanced or truncation_psi != 1 or seeds is not None
    ):
        raise UserError("--latents says which images: leave out --count, --seeds, --label, --balanced and --psi")
    generator = load_generator(run, choose_device(device), precision)
    if file is not None:
        images_of_latents(generator, out, file, tuning)
        return
    numbers = parse_seeds(seeds, count)
    labels = choose_labels(generator, numbers, label, balanced)
    with new_folder(out) as folder, progress_bar("generating") as progress:
        write_images(generator, folder, numbers, labels, truncation_psi, progress)
    click.echo(f"{len(numbers)} images and manifest.csv are in {out}")


@click.command()
@RUN
@click.option("--out", required=True, type=PATH, help="The picture to write, .png or .jpg.")
@click.option("--psi", "truncation_psi", type=Number(float), default=1.0, show_default=True, help="Truncation psi.")
@click.option(
    "--columns", type=Number(int, Range("1 to 64", 1, 64)), default=8, show_default=True, help="Images in a row."
)
@PRECISION
@DEVICE
def grid(run: Path, out: Path, truncation_psi: float, columns: int, precision: str, device: str) -> None:
    """Write one picture of many images, a row per class."""
    from ..files import atomic_path
    from ..sampling import check_truncation_psi, load_generator, sample_grid

    check_truncation_psi(truncation_psi)
    check_picture(out)
    picture = sample_grid(load_generator(run, choose_device(device), precision), columns, truncation_psi)
    with atomic_path(out) as temporary:
        picture.save(temporary)
    click.echo(f"{out}")


def parse_seeds(text: str | None, count: int | None) -> list[int]:
    """ "A-B", or a count from 0, or both where they agree."""
    if text is None:
        if count is None or count < 1:
            raise UserError("--count: say how many images, 1 or more (or --seeds A-B)")
        return list(range(count))
    first, dash, last = text.partition("-")
    ordered = first.isdecimal() and (last.isdecimal() or not dash) and int(first) <= int(last or first) < 2**63
    if not ordered:
        raise UserError(f"--seeds {text}: give A-B, for example 0-99")
    numbers = list(range(int(first), int(last or first) + 1))
    if count is not None and count != len(numbers):
        raise UserError(f"--seeds {text} are {len(numbers)} images, --count says {count}: give one of them")
    return numbers


def choose_labels(
    generator: "TrainedGenerator", seeds: list[int], label: str | None, balanced: bool
) -> list[str] | None:
    """A class name per seed, None when unlabelled."""
    if label is not None and balanced:
        raise UserError("--label and --balanced exclude each other: give one of them")
    if not generator.classes:
        if label is not None or balanced:
            raise UserError("--label, --balanced: this generator was trained without labels")
        return None
    if label is not None:
        if label not in generator.classes:
            raise UserError(f"--label {label}: no such class, {nearest(label, generator.classes)}")
        return [label] * len(seeds)
    if balanced:
        return [generator.classes[index % len(generator.classes)] for index in range(len(seeds))]
    return generator.labels_for(seeds)


def images_of_latents(generator: "TrainedGenerator", out: Path, file: Path, tuning: Path | None) -> None:
    from ..projection.latent_sets import write_latent_images
    from ..projection.tuning import tuned

    latents = open_latents(file, generator)
    deltas = open_tuning(generator, tuning, file)
    with new_folder(out) as folder:
        write_latent_images(folder, tuned(generator, deltas) if deltas else generator, latents)
    click.echo(f"{len(latents.w)} images, manifest.csv and grid.png are in {out}")


def write_images(
    generator: "TrainedGenerator",
    folder: Path,
    seeds: list[int],
    labels: list[str] | None,
    truncation_psi: float,
    progress: Progress,
) -> None:
    """The images and their manifest."""
    from ..pictures.files import encode, picture_suffix
    from ..synthetic.write import class_folders

    with open(folder / "manifest.csv", "w", newline="", encoding="utf-8") as file:
        manifest = csv.writer(file)
        manifest.writerow(["file", "seed", "label", "psi"])
        folders = {"": ""} | dict(zip(generator.classes, class_folders(generator.classes), strict=True))
        for first in range(0, len(seeds), BATCH):
            part = slice(first, first + BATCH)
            names = labels[part] if labels else [""] * len(seeds[part])
            batch = generator.sample(seeds[part], labels[part] if labels else None, truncation_psi)
            for seed, name, image in zip(seeds[part], names, batch, strict=True):
                path = folder / folders[name] / f"seed{seed:010d}.{picture_suffix(generator.dtype)}"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(encode(image))
                manifest.writerow([path.relative_to(folder).as_posix(), seed, name, truncation_psi])
            progress(first + len(batch), len(seeds))
