"""`stylegan-ada generate mix`, `interpolate`, `vary` and `edit`: what can be made of latents in files."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config.settings import Range
from ..devices import choose_device
from ..errors import UserError
from ..files import check_new_folder
from .common import DEVICE, PATH, RUN, Choice, Number, new_folder
from .latent_files import TUNING, open_latents, open_tuning

if TYPE_CHECKING:
    from ..projection.latent_sets import LatentSet
    from ..projection.latents import Latents
    from ..projection.tuning import Deltas
    from ..sampling import TrainedGenerator

FILE = click.argument("file", type=PATH)
FILE_A = click.argument("file_a", metavar="A.npz", type=PATH)
FILE_B = click.argument("file_b", metavar="B.npz", type=PATH)
OUT = click.option("--out", required=True, type=PATH, help="A new folder.")
INDEX = click.option(
    "--index", type=Number(int), default=0, show_default=True, help="Number of the latent in the (first) file, from 0."
)
INDEX_B = click.option(
    "--index-b", type=Number(int), default=0, show_default=True, help="Number of the latent in the second file, from 0."
)


@click.command()
@RUN
@FILE_A
@FILE_B
@OUT
@click.option("--layers", multiple=True, metavar="A-B", help="Layers to take from B, 0 is the coarsest; repeatable.")
@INDEX
@INDEX_B
@TUNING
@DEVICE
def mix(
    run: Path,
    file_a: Path,
    file_b: Path,
    out: Path,
    layers: tuple[str, ...],
    index: int,
    index_b: int,
    tuning: Path | None,
    device: str,
) -> None:
    """Give A's image some layers of B.

    Coarse layers set the layout, fine ones the texture. The noise is A's. Without --layers the coarse, the middle and
    the fine third are taken, one after another.
    """
    from ..projection.latent_sets import mixed

    check_new_folder(out)
    generator, deltas, (a, b) = open_all(run, device, [(file_a, index), (file_b, index_b)], tuning)
    made = mixed(a, b, [parse_layers(text, generator.network.num_ws) for text in layers])
    write(out, generator, deltas, made)
    click.echo(f"{len(made.rows)} mixed images, A and B, latents.npz and grid.png (A, mixed, B) are in {out}")


@click.command()
@RUN
@FILE_A
@FILE_B
@OUT
@click.option(
    "--frames",
    required=True,
    type=Number(int, Range("2 to 10000", 2, 10_000)),
    help="Number of frames, A and B included.",
)
@click.option(
    "--format",
    type=Choice(("gif", "webp", "png")),
    default="gif",
    show_default=True,
    help="Format of the animation beside the PNG frames; png writes the frames alone.",
)
@INDEX
@INDEX_B
@TUNING
@DEVICE
def interpolate(
    run: Path,
    file_a: Path,
    file_b: Path,
    out: Path,
    frames: int,
    format: str,
    index: int,
    index_b: int,
    tuning: Path | None,
    device: str,
) -> None:
    """Go from A to B in equal steps of w.

    The noise goes from A's to B's. Writes PNG frames and an animation.
    """
    from ..projection.latent_sets import interpolated

    check_new_folder(out)
    generator, deltas, (a, b) = open_all(run, device, [(file_a, index), (file_b, index_b)], tuning)
    animation = None if format == "png" else f"animation.{format}"
    write(out, generator, deltas, interpolated(a, b, frames), animation)
    click.echo(f"{frames} frames, {f'{animation}, ' if animation else ''}latents.npz and grid.png are in {out}")


@click.command()
@RUN
@FILE
@OUT
@click.option(
    "--strength",
    required=True,
    type=Number(float, Range("0 to 1, for example 0.2", 0, 1)),
    help="From 0 (the same image) to 1 (any image of its class).",
)
@click.option(
    "--count",
    type=Number(int, Range("1 to 10000", 1, 10_000)),
    default=8,
    show_default=True,
    help="Number of neighbours.",
)
@click.option(
    "--seed",
    type=Number(int, Range(f"0 to {2**31}", 0, 2**31)),
    default=0,
    show_default=True,
    help="Another seed gives other neighbours.",
)
@INDEX
@TUNING
@DEVICE
def vary(
    run: Path,
    file: Path,
    out: Path,
    strength: float,
    count: int,
    seed: int,
    index: int,
    tuning: Path | None,
    device: str,
) -> None:
    """Make neighbours of one latent within its class.

    These are, for example, variations of one defect. The noise stays the same.
    """
    from ..projection.latent_sets import varied

    check_new_folder(out)
    generator, deltas, (one,) = open_all(run, device, [(file, index)], tuning)
    write(out, generator, deltas, varied(generator, one, strength, count, seed))
    click.echo(f"{count} neighbours, the original, latents.npz and grid.png (the original first) are in {out}")


@click.command()
@RUN
@FILE
@OUT
@click.option(
    "--direction",
    required=True,
    metavar="NAME",
    help="pc1 to pc10, START>END of two classes or labels, a number's name, or a name in --directions.",
)
@click.option(
    "--amount", required=True, multiple=True, type=Number(float), help="How far, in standard deviations; repeatable."
)
@click.option("--directions", type=PATH, help="A file written by `stylegan-ada directions`.")
@INDEX
@TUNING
@DEVICE
def edit(
    run: Path,
    file: Path,
    out: Path,
    direction: str,
    amount: tuple[float, ...],
    directions: Path | None,
    index: int,
    tuning: Path | None,
    device: str,
) -> None:
    """Move a latent along a direction of w. Its noise stays.

    Without --directions the direction is computed afresh, which takes seconds.
    """
    from ..projection.directions import load_directions, named_direction
    from ..projection.latent_sets import edited

    check_new_folder(out)
    if not all(map(math.isfinite, amount)):
        raise UserError("--amount: give numbers of standard deviations, for example -2 or 1.5")
    generator, deltas, (one,) = open_all(run, device, [(file, index)], tuning)
    if directions is None:
        found = named_direction(generator, direction)
    else:
        found = load_directions(directions, generator.info.network.w_dim)
    write(out, generator, deltas, edited(one, found, direction, amount))
    click.echo(f"{len(amount)} edited images, the original, latents.npz and grid.png (by amount) are in {out}")


def open_all(
    run: Path, device: str, files: Sequence[tuple[Path, int]], tuning: Path | None
) -> tuple["TrainedGenerator", "Deltas", list["Latents"]]:
    """The run's generator, tuned weights for it ({} for none), and the latent of each (file, index).

    A tuning that lies beside a file is used where all latents are of that file.
    """
    from ..sampling import load_generator

    generator = load_generator(run, choose_device(device))
    opened = {path: open_latents(path, generator) for path in dict(files)}
    options = ("--index", "--index-b")
    latents = [choose(opened[path], path, index, option) for (path, index), option in zip(files, options, strict=False)]
    return generator, open_tuning(generator, tuning, files[0][0] if len(opened) == 1 else None), latents


def choose(latents: "Latents", path: Path, index: int, option: str) -> "Latents":
    """The latent at `index`. UserError if there is none."""
    count = len(latents.w)
    if not 0 <= index < count:
        raise UserError(f"{option} {index}: {path} holds {count} latents, give 0 to {count - 1}")
    return latents.pick(index)


def parse_layers(text: str, num_ws: int) -> tuple[int, int]:
    """ "A-B" or "A" -> the first and the last layer."""
    first, dash, last = text.partition("-")
    if not (first.isdecimal() and (last.isdecimal() or not dash) and int(first) <= int(last or first) < num_ws):
        raise UserError(f"--layers {text}: give A-B of the layers 0 to {num_ws - 1}, for example 0-{num_ws // 2}")
    return int(first), int(last or first)


def write(
    out: Path, generator: "TrainedGenerator", deltas: "Deltas", made: "LatentSet", animation: str | None = None
) -> None:
    """All files, or none. Tuned weights go with the latents, so that these give the same images again."""
    from ..projection.latent_sets import LATENTS_FILE, write_animation, write_latent_set
    from ..projection.tuning import save_deltas, tuned

    with new_folder(out) as folder:
        images = write_latent_set(folder, tuned(generator, deltas) if deltas else generator, made)
        if deltas:
            save_deltas((folder / LATENTS_FILE).with_suffix(".safetensors"), deltas, generator)
        if animation:
            write_animation(folder / animation, images)
