"""`stylegan-ada project`"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.preparation import Preparation
from ..devices import choose_device, keep_freed_memory
from ..errors import RunFailed, UserError, nearest
from .common import DEVICES, PATH, Choice, progress_bar, run_images

if TYPE_CHECKING:
    from ..metrics.evaluate import RealImages
    from ..projection.batches import Done
    from ..projection.coverage import Coverage
    from ..projection.folder import ResultFolder
    from ..projection.inputs import Inputs
    from ..sampling import TrainedGenerator

SEARCH = "search"


@click.command()
@click.argument("run", type=PATH)
@click.argument("images", nargs=-1, required=True, type=PATH)
@click.option("--out", required=True, type=PATH, help="A new folder, or one to go on with.")
@click.option("--space", type=Choice(("w", "w+")), default="w+", show_default=True, help="w+ has one w for each layer.")
@click.option("--steps", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--tune", is_flag=True, help="Also fine-tune the generator to each image.")
@click.option("--label", metavar="NAME|search", help="Class of all images; their folder's name if not given.")
@click.option("--mask", type=PATH, help="A gray image: white pixels count, black ones do not.")
@click.option(
    "--distance", default="vgg", show_default=True, help="vgg, lite0, inception, or a TorchScript file (.pt)."
)
@click.option(
    "--candidates",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Sampled latents to choose the start from.",
)
@click.option("--batch", type=click.IntRange(min=1), default=8, show_default=True, help="Images projected at once.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--coverage/--no-coverage",
    default=True,
    help="Report which images are covered, by projecting held-out images of the run.",
)
@click.option("--data", metavar="SOURCE", help="Where the run's images are now, if they have moved.")
@click.option("--device", type=Choice(DEVICES), default="auto")
def project(
    run: Path,
    images: tuple[Path, ...],
    out: Path,
    label: str | None,
    mask: Path | None,
    distance: str,
    batch: int,
    coverage: bool,
    data: str | None,
    device: str,
    **options: Any,
) -> None:
    """Find latents of the generator RUN that reproduce IMAGES, files and folders.

    If it is stopped, the same command goes on. Under torchrun the processes share the work; the files are the same.
    """
    keep_freed_memory()
    # these import torch, which takes seconds that `--help` need not spend
    from .. import distributed
    from ..projection.batches import make_batches, project_batches
    from ..projection.coverage import measure_coverage
    from ..projection.distance import make_distance
    from ..projection.facts import coverage_facts, projection_facts
    from ..projection.folder import ResultFolder
    from ..projection.inputs import read_inputs, read_mask
    from ..projection.projector import Projector
    from ..sampling import load_generator

    folder = ResultFolder(out)
    folder.check_unused()
    where = choose_device(device)
    with distributed.group(where):
        generator = load_generator(run, where)
        check_label(generator, label)
        projector = Projector(generator, make_distance(distance, where), **options)
        preparation = replace(preparation_of(run), window=generator.info.window)
        weights = None if mask is None else read_mask(mask, generator.image_shape, preparation.fit)
        wanted = "" if label == SEARCH else label
        inputs = read_inputs(images, generator.image_shape, generator.classes, wanted, preparation)
        tell_inputs(inputs, generator, label)
        real = open_known(generator, run, data) if coverage else None
        facts = projection_facts(projector, run, inputs.items, weights, label=label, fit=preparation.fit, batch=batch)
        found = None
        with ExitStack() as stack:
            distributed.first_rank_first(lambda: distributed.rank() > 0 or stack.enter_context(folder.locked()))
            distributed.first_rank_first(lambda: folder.begin(facts) if distributed.rank() == 0 else None)
            start, batches = time.perf_counter(), make_batches(inputs, batch)
            with first_rank_bar("projecting") as progress:
                done = distributed.every_rank(lambda: project_batches(projector, batches, weights, folder, progress))
            tell_done(done, time.perf_counter() - start)
            if real is not None:
                with first_rank_bar("projecting the run's own images") as progress:
                    found = measure_coverage(
                        projector, real, weights, label == SEARCH, batch, folder, coverage_facts(facts), progress
                    )
            if distributed.rank() == 0:
                finish(folder, inputs, found)


def check_label(generator: "TrainedGenerator", label: str | None) -> None:
    if label is None:
        return
    if not generator.classes:
        raise UserError(f"--label {label}: this generator was trained without labels")
    if label not in (SEARCH, *generator.classes):
        raise UserError(f"--label {label}: no such class, {nearest(label, (SEARCH, *generator.classes))}")


def run_folder(run: Path) -> Path | None:
    """The folder of the run that a generator is of; None for a file that lies elsewhere."""
    from ..training.run_folder import RunFolder

    folder = run if run.is_dir() else run.parent
    return folder if RunFolder(folder).is_run() else None


def preparation_of(run: Path) -> Preparation:
    """How the run's images were taken."""
    from ..training.run_folder import RunFolder

    folder = run_folder(run)
    return Preparation() if folder is None else RunFolder(folder).read_config().data.preparation


def open_known(generator: "TrainedGenerator", run: Path, data: str | None) -> "RealImages | None":
    """Real images of the run, to judge by what it covers; None, which is said, where there are none."""
    from .. import distributed
    from ..metrics.evaluate import check_fit

    folder = run_folder(run)
    if folder is None and data is None:
        say(f"the column covered is left empty: {run} is a generator without a run, name its run or give --data")
        return None
    try:
        real: RealImages = distributed.first_rank_first(lambda: run_images(folder or run, data))
        check_fit(generator, real)
    except UserError as error:
        raise UserError(f"{error}; or leave out what is covered: --no-coverage") from None
    if real.held_out is None:
        say("no images of the run are held out: what is covered is judged by its training images")
    return real


def tell_inputs(inputs: "Inputs", generator: "TrainedGenerator", label: str | None) -> None:
    """What is skipped, converted, and searched. UserError if there is nothing left."""
    for file, reason in inputs.skipped:
        say(f"warning: {file} is skipped: {reason}", err=True)
    if not inputs.images:
        raise UserError("none of the images can be projected: give PNG or JPEG files of the generator's size or larger")
    channels, height, width = generator.image_shape
    if inputs.converted:
        kind = "gray" if channels == 1 else "RGB"
        say(f"resized or converted to {height}x{width}, {kind}: {inputs.converted} of {len(inputs.images)} images")
    unknown = sum(not item.label for item in inputs.items if item.name in inputs.images)
    if generator.classes and unknown and label is None:
        say(f"their folders are not named like a class, so the class is searched: {unknown} of {len(inputs.images)}")


def tell_done(done: "Done", seconds: float) -> None:
    """The speed of all processes, and what this one could not write."""
    import torch

    from .. import distributed

    for item, reason in done.failed:
        click.echo(f"warning: {item.file} is skipped: {reason}", err=True)
    count = int(distributed.sum_over_ranks(torch.tensor(float(done.count))))
    if count:
        say(f"{count} images projected, {60 * count / seconds:.1f} per minute")


def finish(folder: "ResultFolder", inputs: "Inputs", coverage: "Coverage | None") -> None:
    """Writes and prints what was found. UserError if that is nothing."""
    from ..projection.summary import write_all

    records = {
        item.name: record
        for item in inputs.items
        if item.name in inputs.images and (record := folder.read(item.name)) is not None
    }
    if not records:
        raise RunFailed(
            f"--out {folder.path}: no image could be written there: make room, and the same command goes on"
        )
    click.echo(write_all(folder, records, coverage))
    left_out = len(inputs.skipped) + len(inputs.images) - len(records)
    if left_out:
        click.echo(f"warning: {left_out} images are left out, as said above", err=True)
    click.echo(f"{len(records)} images, projections.csv, sheet.png and summary.txt are in {folder.path}")


def say(text: str, err: bool = False) -> None:
    """Said by one process."""
    from .. import distributed

    if distributed.rank() == 0:
        click.echo(text, err=err)


@contextmanager
def first_rank_bar(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on the first process, None on the others."""
    from .. import distributed

    with progress_bar(label) as progress:
        yield progress if distributed.rank() == 0 else None
