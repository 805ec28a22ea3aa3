"""`stylegan-ada report`: one page about a run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._version import __version__
from ..config import RunConfig, to_json
from ..errors import UserError
from ..metrics.words import SENTENCES, details, footnotes, interval, number, reference_name
from .common import DEVICES, MOST_IMAGES, Choice, choose_device, keep_freed_memory, progress_bar, run_images

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from ..metrics.evaluate import RealImages
    from ..metrics.figures import Sides
    from ..metrics.memorisation import Copies
    from ..report.page import Picture
    from ..sampling import TrainedGenerator

REPORT_FILE = "report.html"
COLUMNS = 8
SWEEP = (0.3, 0.5, 0.7, 0.85, 1.0)  # truncation_psi
FINE = "no sign of copies of training images, and labels, if there are any, are obeyed more than by chance"


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The page to write, .html.")
@click.option("--no-real-images", is_flag=True, help="Show no real image: for private data.")
@click.option("--data", metavar="SOURCE", help="Where the run's images lie now, if they have moved.")
@click.option(
    "--count",
    type=click.IntRange(min=2),
    help=f"Images to generate for the figures: as many as the set has, but at most {MOST_IMAGES}, if not given.",
)
@click.option("--device", type=Choice(DEVICES), default="auto")
def report(run: Path, out: Path, no_real_images: bool, data: str | None, count: int | None, device: str) -> None:
    """Write one page on RUN, a run folder: what was trained, how good it is, what it makes, in pictures and words."""
    keep_freed_memory()
    if out.suffix != ".html" or not out.resolve().parent.is_dir():
        raise UserError(f"--out {out}: give a name that ends in .html, in a folder that exists")
    with progress_bar("measuring images") as progress:
        from ..files import write_text

        page = make_report(run, data, not no_real_images, count, choose_device(device), progress)
    write_text(out, page)
    click.echo(f"the report is {out}")


def leave_report(run: Path, device: "torch.device") -> None:
    """REPORT_FILE in the folder of a run that has ended, unless it is there and of this generator. Every process takes
    part, the first one writes."""
    import torch

    from .. import distributed
    from ..checkpoint import GENERATOR_FILE
    from ..files import write_text

    path = run / REPORT_FILE
    fresh = path.exists() and path.stat().st_mtime >= (run / GENERATOR_FILE).stat().st_mtime
    if distributed.sum_over_ranks(torch.tensor(float(fresh))) == distributed.world_size():
        return
    first = distributed.rank() == 0
    with progress_bar("measuring images for the report") as progress:
        page = make_report(run, None, True, None, device, progress if first else lambda *_: None)
    if first:
        write_text(path, page)
        click.echo(f"{path} tells it all, with real images in it; stylegan-ada report makes one without")


def make_report(
    run: Path,
    data: str | None,
    show_real: bool,
    count: int | None,
    device: "torch.device",
    progress: Callable[[int, int], None],
) -> str:
    """The page's HTML."""
    from ..metrics.evaluate import compute_sides
    from ..metrics.features import make_extractor
    from ..metrics.figures import measure
    from ..metrics.findings import findings
    from ..metrics.memorisation import Copies
    from ..report import Page, render
    from ..report.page import FigureRow
    from ..sampling import load_generator
    from ..training import RunFolder
    from ..training.evaluation import figures_as_row, read_evaluations
    from ..training.monitor import read_log

    folder = RunFolder(run)
    config = folder.read_config()
    generator = load_generator(run, device=device)
    real = run_images(run, data)
    extractor = make_extractor("lite0", device)
    sides = compute_sides(generator, real, extractor, count or min(len(real.dataset), MOST_IMAGES), progress=progress)
    figures, _ = measure(sides, tuple(SENTENCES))
    of_real = sides.real.reader.cross_validated() if "label_accuracy" in figures else None
    rows = tuple(
        FigureRow(
            name=name,
            value=number(figure.value),
            interval=interval(figure),
            meaning=SENTENCES[name],
            details=tuple(details(figure, of_real)),
        )
        for name, figure in figures.items()
    )
    copies = figures["copies"].detail if "copies" in figures else None
    evaluations, log = read_evaluations(run), read_log(run)
    augment = config.augment
    now = figures_as_row(sides) | {
        "kimg": generator.info.images_seen / 1000,
        **(log[-1] if log else {"p": 0, "r_t": 0}),
    }
    shown = findings([now], augment.maximum if augment.adapts else None)[1:] or [FINE]
    options = folder.read_options()
    return render(
        Page(
            title=f"Generated images of {config.data.source}",
            facts=tuple(run_facts(config, generator, real)),
            findings=tuple(evaluations[-1]["findings"][:1] + shown if evaluations else shown),
            figures=rows,
            footnotes=tuple(footnotes(figures, extractor.name, reference_name(real))),
            pictures=tuple(
                pictures(generator, real, sides, copies if isinstance(copies, Copies) else None, show_real)
                + plots(log, evaluations)
            ),
            options=tuple((name.replace("_", "-"), str(value)) for name, value in options.items() if value is not None),
            config=to_json(config),
            version=__version__,
        )
    )


def run_facts(config: RunConfig, generator: "TrainedGenerator", real: "RealImages") -> list[tuple[str, str]]:
    """What was trained on what."""
    channels, height, width = config.network.image_shape
    info = generator.info
    kinds = {1: "gray", 3: "RGB"}
    facts = [
        ("images", f"{height}x{width} pixels, {kinds.get(channels, f'{channels} channels')}, of {config.data.source}"),
    ]
    if real.trained_on is not None:
        held = 0 if real.held_out is None else len(real.held_out)
        facts.append(("trained on", f"{len(real.trained_on)} images" + (f", {held} held out" if held else "")))
    if info.classes:
        counts = zip(info.classes, info.class_counts, strict=True)
        facts.append(("classes", ", ".join(f"{name} ({count})" for name, count in counts)))
    shown = f"after {info.images_seen / 1000:g} of {config.training.kimg:g} thousand images shown"
    facts.append(("this generator", shown))
    numbers = sum(parameter.numel() for parameter in generator.network.parameters())
    facts.append(("network", f"{numbers:,} numbers, trained in {config.network.precision}"))
    return facts


def pictures(
    generator: "TrainedGenerator", real: "RealImages", sides: "Sides", copies: "Copies | None", show_real: bool
) -> "list[Picture]":
    """Samples by class, real images beside them, truncation, and the closest pairs."""
    from ..grids import image_grid, pair_grid, sample_grid
    from ..metrics.evaluate import closest_pairs
    from ..report import Picture

    small = max(generator.image_shape[1:]) <= 128  # larger ones are photographs of which JPEG keeps enough
    rows = "a row per class, " if generator.classes else ""
    found = [
        Picture(
            title="Generated images",
            caption=f"{rows}each from a seed of its own, not chosen; without truncation",
            image=sample_grid(generator, COLUMNS),
            lossless=small,
        )
    ]
    if show_real:
        found.append(
            Picture(
                title="Real images",
                caption=f"{rows}the first of each" if generator.classes else "the first of the set",
                image=real_grid(real),
                lossless=small,
            )
        )
    names = generator.classes[:COLUMNS] or [None] * COLUMNS
    labels = None if names[0] is None else list(names)
    sweep = [generator.sample(range(len(names)), labels, psi) for psi in SWEEP]
    found.append(
        Picture(
            title="Truncation",
            caption="truncation_psi at the left: towards 0 images are cleaner and more alike; a column is a seed"
            + (" and a class" if labels else ""),
            image=image_grid(sweep, [f"psi {psi:g}" for psi in SWEEP]),
            lossless=small,
        )
    )
    if show_real and copies is not None:
        found.append(
            Picture(
                title="Closest to training images",
                caption="the generated images nearest to a training image, each above it: is it the same picture?",
                image=pair_grid(*closest_pairs(generator, real, sides, copies)),
                lossless=small,
            )
        )
    return found


def real_grid(real: "RealImages") -> "Image":
    """As sample_grid, of the images that were trained on, or compared with."""
    from ..grids import MOST_ROWS, image_grid

    dataset = real.dataset
    members = real.reference if real.trained_on is None else real.trained_on
    if dataset.labels is None:
        groups = [members[first : first + COLUMNS] for first in range(0, COLUMNS * COLUMNS, COLUMNS)]
    else:
        groups = [members[dataset.labels[members] == label][:COLUMNS] for label in range(dataset.c_dim)][:MOST_ROWS]
    kept = [(index, group) for index, group in enumerate(groups) if len(group)]
    names = [dataset.classes[index] for index, _ in kept] if dataset.labels is not None else ()
    return image_grid([dataset.images[group].transpose(0, 2, 3, 1) for _, group in kept], names)


def plots(rows: list[dict[str, float]], evaluations: list[dict[str, float]]) -> "list[Picture]":
    """Curves of quality and of training."""
    from ..report import Picture
    from ..report.plots import QUALITY, TRAINING, curves

    found = []
    if evaluations:
        caption = f"measured with {evaluations[0]['count']} generated images while training; bars are standard errors"
        found.append(Picture(title="Quality along the run", caption=caption, image=curves(evaluations, QUALITY)))
    if rows:
        caption = "docs/training.md says what each curve means"
        found.append(Picture(title="Training", caption=caption, image=curves(rows, TRAINING)))
    return found
