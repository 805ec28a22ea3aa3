"""`stylegan-ada generate images` and `grid`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config.settings import Range
from ..devices import choose_device
from ..errors import UserError
from ..files import check_new_folder
from .common import DEVICE, PATH, PRECISION, RUN, Number, check_picture, new_folder, progress_bar
from .latent_files import TUNING, open_latents, open_tuning
from .messages import warn

if TYPE_CHECKING:
    from ..sampling import TrainedGenerator


@click.command()
@RUN
@click.option("--out", required=True, type=PATH, help="A new folder.")
@click.option("--count", type=Number(int), help="Number of images.")
@click.option(
    "--label", help="Only this class, or these values of attributes: type=mono,degree=0.67; others are drawn by seed."
)
@click.option("--balanced", is_flag=True, help="The same number of each class; otherwise in the training set's shares.")
@click.option("--by", metavar="ATTRIBUTE", help="With --balanced: the same number of each value of this attribute.")
@click.option(
    "--vary",
    metavar="ATTRIBUTE[=VALUES]",
    help="A row of images for each seed, which moves this attribute alone: age=20:80:7 (steps, both ends included), "
    "type=mono:poly, or type for all values.",
)
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
    by: str | None,
    vary: str | None,
    truncation_psi: float,
    seeds: str | None,
    file: Path | None,
    tuning: Path | None,
    precision: str,
    device: str,
) -> None:
    """Write images in class folders, and manifest.csv.

    The manifest's columns are file, seed, label, psi, and the attributes, if there are any. With --vary, all images
    lie in one folder, with grid.png, a row per seed. With --latents, also writes grid.png, and uses the tuned weights
    of --tuning, or of the .safetensors file beside the latents.
    """
    from ..sampling import check_truncation_psi, load_generator
    from ..synthetic.by_seed import write_images

    check_new_folder(out)
    check_truncation_psi(truncation_psi)
    if file is None and tuning is not None:
        raise UserError("--tuning: it goes with --latents FILE")
    others = (count, label, by, vary, seeds)
    if file is not None and (balanced or truncation_psi != 1 or any(value is not None for value in others)):
        raise UserError(
            "--latents says which images: leave out --count, --seeds, --label, --balanced, --by, --vary and --psi"
        )
    if vary is not None and balanced:
        raise UserError("--vary and --balanced exclude each other: give one of them")
    if by is not None and not balanced:
        raise UserError(f"--by {by}: it goes with --balanced")
    generator = load_generator(run, choose_device(device), precision)
    if file is not None:
        images_of_latents(generator, out, file, tuning)
        return
    numbers = parse_seeds(seeds, count)
    if vary is not None:
        images_of_sweep(generator, out, numbers, vary, label, truncation_psi)
        return
    labels = choose_labels(generator, len(numbers), label, balanced, by)
    with new_folder(out) as folder, progress_bar("generating") as progress:
        write_images(folder, generator, numbers, labels, truncation_psi, progress)
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
    """Write one picture of many images, a row per class.

    With attributes a row per value of each."""
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
    generator: "TrainedGenerator", count: int, label: str | None, balanced: bool, by: str | None
) -> list[str] | None:
    """A label per image, None where they are drawn in the training set's shares."""
    from ..labels.sweep import labels_by

    if label is not None and balanced:
        raise UserError("--label and --balanced exclude each other: give one of them")
    if not generator.classes and (label is not None or balanced):
        raise UserError("--label, --balanced: this generator was trained without labels")
    if label is not None:
        warn(generator.labels.remarks(label))
        return [label] * count
    if balanced:
        kinds = generator.classes if by is None else labels_by(generator.labels, by)
        return [kinds[index % len(kinds)] for index in range(count)]
    return None


def images_of_sweep(
    generator: "TrainedGenerator", out: Path, seeds: list[int], vary: str, label: str | None, truncation_psi: float
) -> None:
    from ..labels.sweep import parse_sweep
    from ..synthetic.by_seed import write_sweep

    sweep, remarks = parse_sweep(generator.labels, vary)
    if label is not None:
        remarks += generator.labels.remarks(label)
        if sweep.attribute.name in generator.labels.named(label):
            raise UserError(f"--label {label}: it names {sweep.attribute.name!r}, which --vary moves, leave that out")
    warn(remarks)
    with new_folder(out) as folder, progress_bar("generating") as progress:
        write_sweep(folder, generator, seeds, sweep, label, truncation_psi, progress)
    click.echo(f"{len(seeds)} x {len(sweep.values)} images, manifest.csv and grid.png are in {out}")


def images_of_latents(generator: "TrainedGenerator", out: Path, file: Path, tuning: Path | None) -> None:
    from ..projection.latent_sets import write_latent_images
    from ..projection.tuning import tuned

    latents = open_latents(file, generator)
    deltas = open_tuning(generator, tuning, file)
    with new_folder(out) as folder:
        write_latent_images(folder, tuned(generator, deltas) if deltas else generator, latents)
    click.echo(f"{len(latents.w)} images, manifest.csv and grid.png are in {out}")
