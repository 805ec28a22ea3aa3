"""Projecting files of images into a folder of latents, in one call."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from .. import distributed
from ..config.preparation import Preparation
from ..datasets import ImageDataset, load_dataset
from ..devices import choose_device, settings_kept
from ..errors import RunFailed, UserError, check_least, nearest
from ..files import user_path
from ..labels.label_space import LabelSpace
from ..metrics.evaluate import RealImages, check_fit
from ..progress import Bar, Say, no_bar
from ..sampling import TrainedGenerator, load_generator
from ..training.run_folder import RunFolder
from ..training.run_images import run_images
from .batches import Done, make_batches, project_batches
from .coverage import Coverage, measure_coverage
from .distance import make_distance
from .facts import coverage_facts, projection_facts
from .folder import Record, ResultFolder
from .inputs import Inputs, read_inputs, read_mask
from .projector import Projector
from .summary import write_all

SEARCH = "search"


@settings_kept()
def project_folder(
    run: str | Path,
    images: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    label: str | None = None,
    mask: str | Path | None = None,
    distance: str = "vgg",
    batch: int = 8,
    coverage: bool = True,
    data: str | None = None,
    device: str | None = "auto",
    load: Callable[..., ImageDataset] = load_dataset,
    say: Say = print,
    progress: Bar = no_bar,
    **search: Any,
) -> dict[str, Record]:
    """Projects the images of files and folders into the folder `out`, as `stylegan-ada project` does. If it is stopped,
    the same call goes on.

    run: a run folder or a generator's file. label: that of all images, a class or a text of attributes, or "search";
    not given, that of its row in labels.csv or dataset.json, or of the folder in which an image lies. mask: a gray
    image, whose white pixels count. distance: vgg, lite0, inception, or a TorchScript file (.pt). batch: images at
    once. coverage: also find out which images the generator covers, by projecting images that the run held out; data:
    where the run's images are now, if they have moved. search: space, steps, tune, candidates and seed, as for
    `stylegan_ada.project`. load: called as `load_dataset` is. say: called with each line that the command would print;
    progress: with the name of what begins.
    Returns what was measured of each image, by the name of its files: `out`/NAME.npz has its latent, `out`/NAME.png
    shows it. Images that cannot be read are left out, which is said. UserError for what does not fit together, or if
    there is no image left; RunFailed if none could be written.
    """
    run = user_path(run)
    paths = [user_path(path) for path in ([images] if isinstance(images, str | Path) else images)]
    check_least("batch", batch, 1)
    folder = ResultFolder(user_path(out))
    folder.check_unused()
    where = choose_device(device)
    first = distributed.rank() == 0
    bar, tell = (progress, say) if first else (no_bar, _nothing)
    with distributed.group(where):
        generator = load_generator(run, where)
        for line in _check_label(generator, label):
            tell(f"warning: {line}")
        projector = Projector(generator, make_distance(distance, where), **search)
        preparation = replace(_preparation_of(run), window=generator.info.window)
        weights = None if mask is None else read_mask(user_path(mask), generator.image_shape, preparation.fit)
        wanted = "" if label == SEARCH else label
        inputs = read_inputs(paths, generator.image_shape, generator.labels, wanted, preparation)
        _tell_inputs(inputs, generator, label, tell)
        real = _open_known(generator, run, data, load, tell) if coverage else None
        facts = projection_facts(projector, run, inputs.items, weights, label=label, fit=preparation.fit, batch=batch)
        found = None
        with ExitStack() as stack:
            distributed.first_rank_first(lambda: stack.enter_context(folder.locked()) if first else None)
            distributed.first_rank_first(lambda: folder.begin(facts) if first else None)
            start, batches = time.perf_counter(), make_batches(inputs, batch)
            with bar("projecting") as told:
                done = distributed.every_rank(lambda: project_batches(projector, batches, weights, folder, told))
            for item, reason in done.failed:  # each process knows its own
                say(f"warning: {item.file} is skipped: {reason}")
            _tell_speed(done, time.perf_counter() - start, tell)
            if real is not None:
                with bar("projecting the run's own images") as told:
                    found = measure_coverage(
                        projector, real, weights, label == SEARCH, batch, folder, coverage_facts(facts), told
                    )
            records = _read_records(folder, inputs)
            if first:
                _finish(folder, inputs, records, found, generator.labels, say)
    return records


def _nothing(line: str) -> None:
    """Drops the line, which the first process has said."""


def _check_label(generator: TrainedGenerator, label: str | None) -> list[str]:
    """Lines on what is taken otherwise than given. UserError for a label that the generator does not know."""
    if label is None:
        return []
    if not generator.classes:
        raise UserError(f"`label` {label}: this generator was trained without labels")
    if label == SEARCH:
        return []
    if generator.labels.is_flat and label not in generator.classes:
        raise UserError(f"`label` {label}: no such class, {nearest(label, (SEARCH, *generator.classes))}")
    return generator.labels.remarks(label)


def _run_folder(run: Path) -> RunFolder | None:
    """The run that a generator is of; None for a file that lies elsewhere."""
    folder = RunFolder(run if run.is_dir() else run.parent)
    return folder if folder.is_run() else None


def _preparation_of(run: Path) -> Preparation:
    """The preparation of the run's images."""
    folder = _run_folder(run)
    return Preparation() if folder is None else folder.read_config().data.preparation


def _open_known(
    generator: TrainedGenerator, run: Path, data: str | None, load: Callable[..., ImageDataset], say: Say
) -> RealImages | None:
    """Real images of the run, to judge by what it covers; None, which is said, where there are none."""
    folder = _run_folder(run)
    if folder is None and data is None:
        say(f"the column covered is left empty: {run} is a generator without a run, name its run or give `data`")
        return None
    try:
        real = distributed.first_rank_first(lambda: run_images(run if folder is None else folder.path, data, load))
        check_fit(generator, real)
    except UserError as error:
        kind = RunFailed if isinstance(error, RunFailed) else UserError
        raise kind(f"{error}; or switch `coverage` off") from None
    if real.held_out is None:
        say("no images of the run are held out: what is covered is judged by its training images")
    return real


def _tell_inputs(inputs: Inputs, generator: TrainedGenerator, label: str | None, say: Say) -> None:
    """Says what is skipped, converted, and searched. UserError if there is nothing left."""
    for file, reason in inputs.skipped:
        say(f"warning: {file} is skipped: {reason}")
    if not inputs.images:
        raise UserError("none of the images can be projected: give PNG or JPEG files of the generator's size or larger")
    channels, height, width = generator.image_shape
    if inputs.converted:
        kind = "gray" if channels == 1 else "RGB"
        say(f"resized or converted to {height}x{width}, {kind}: {inputs.converted} of {len(inputs.images)} images")
    for remark in inputs.remarks:
        say(f"warning: {remark}")
    if inputs.labels_of_rows:
        say(f"label from the file's row in labels.csv or dataset.json: {inputs.labels_of_rows} of {len(inputs.items)}")
    unknown = sum(not item.label for item in inputs.items if item.name in inputs.images)
    if generator.classes and unknown and label is None:
        say(f"their folders are not named like a class, so the class is searched: {unknown} of {len(inputs.images)}")


def _tell_speed(done: Done, seconds: float, say: Say) -> None:
    """Says the speed of all processes together."""
    count = int(distributed.sum_over_ranks(torch.tensor(float(done.count))))
    if count:
        say(f"{count} images projected, {60 * count / seconds:.1f} per minute")


def _read_records(folder: ResultFolder, inputs: Inputs) -> dict[str, Record]:
    return {
        item.name: record
        for item in inputs.items
        if item.name in inputs.images and (record := folder.read(item.name)) is not None
    }


def _finish(
    folder: ResultFolder,
    inputs: Inputs,
    records: dict[str, Record],
    coverage: Coverage | None,
    space: LabelSpace,
    say: Say,
) -> None:
    """Writes and says what was found. RunFailed if that is nothing."""
    if not records:
        raise RunFailed(
            f"`out` {folder.path}: no image could be written there: make room, and the same command goes on"
        )
    say(write_all(folder, records, coverage, space))
    left_out = len(inputs.skipped) + len(inputs.images) - len(records)
    if left_out:
        say(f"warning: {left_out} images are left out, as said above")
    say(f"{len(records)} images, projections.csv, sheet.png and summary.txt are in {folder.path}")
