"""Whole tasks in one call each, for notebooks and programs: what the commands of these names do.

All of them raise UserError for what the user can put right.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from . import distributed
from .checkpoint import NO_LICENCE, read_notes
from .config.options import train_options
from .datasets import ImageDataset, load_dataset
from .devices import choose_device, settings_kept, tune_convolutions
from .errors import UserError
from .export import WRITERS, ExportedPart, export_safetensors
from .files import check_file, user_path
from .importers import import_snapshot
from .metrics.evaluate import Evaluation, compute_features
from .metrics.networks import make_extractor
from .metrics.results import MetricResult
from .metrics.table import MOST_IMAGES, default_metrics, measure, pictured_metrics
from .progress import Say
from .sampling import TrainedGenerator, load_generator
from .training import RunFolder, start
from .training.run_images import run_images


@settings_kept()
def train(
    data: str | Path,
    out: str | Path,
    *,
    device: str | None = "auto",
    preset: str | None = "auto",
    say: Say = print,
    should_stop: Callable[[], bool] = lambda: False,
    **options: Any,
) -> TrainedGenerator:
    """Trains in the folder `out`, from where an earlier call with the same options ended, and returns the generator
    that `load_generator(out)` gives.

    data: a folder, a .zip, a .tar, or sample:NAME. options: those of `stylegan-ada train` with _ for -, such as size=64
    (or a pair of height and width), kimg=200, mirror="h", no_labels=True; None stands for not given. say: called with
    each line that the command would print. should_stop: asked after every step; the run then ends with a checkpoint.
    RunFailed if memory or disk space runs out, or training diverges.
    """
    if isinstance(options.get("size"), tuple):
        options["size"] = "x".join(map(str, options["size"]))
    if options.get("size") is not None:
        options["size"] = str(options["size"])
    where = choose_device(device)
    tune_convolutions()
    with distributed.group(where):
        chosen = train_options(str(data), device=device, preset=preset, **options)
        start.train(chosen, RunFolder(user_path(out)), where, say, should_stop)
    return load_generator(out, where)


@settings_kept()
def evaluate(
    run: str | Path,
    data: str | None = None,
    *,
    metrics: Sequence[str] | None = None,
    features: str = "lite0",
    count: int | None = None,
    device: str | None = "auto",
) -> dict[str, MetricResult]:
    """The metrics of a run folder's generator, or of a generator file's, by name; without those that cannot be had.

    data: real images to compare with, if not the run's own. metrics: names of stylegan_ada.metrics.table.METRICS, all
    but gan_test and gan_train if not given. features: lite0, inception, vgg, or a TorchScript (.pt) or ONNX (.onnx)
    file. count: images to generate, as many as the set has (at most 5,000) if not given.
    """
    pictures = not set(metrics or ()).isdisjoint(pictured_metrics())
    found = evaluation_of(user_path(run), data, features, count, device, pictures=pictures).features
    return measure(found, default_metrics(bool(found.real.attributes)) if metrics is None else tuple(metrics))[0]


def evaluation_of(
    run: Path,
    data: str | None,
    features: str,
    count: int | None,
    device: str | None,
    load: Callable[..., ImageDataset] = load_dataset,
    progress: Callable[[int, int], None] | None = None,
    pictures: bool = False,
) -> Evaluation:
    """The basis of all metrics and reports: the generator, real images, and features of both.

    load: called as `load_dataset` is. progress: called with images done and their number. pictures: with small copies
    of the images, for `pictured_metrics`. The rest as `evaluate`. Under torchrun every process takes part, once
    `distributed.start` was called.
    """
    where = choose_device(device)
    generator = load_generator(run, where)
    extractor = make_extractor(
        features, where, generator.image_shape[1:]
    )  # before the images, which may take long to pack
    real = run_images(run, data, load)
    count = min(len(real.dataset), MOST_IMAGES) if count is None else count
    both = compute_features(generator, real, extractor, count, pictures=pictures, progress=progress)
    return Evaluation(generator=generator, real=real, features=both, network=extractor.name)


def export_generator(
    run: str | Path,
    out: str | Path,
    *,
    uint8: bool = False,
    part: str = "whole",
    noise: str = "const",
    licence: str | None = None,
) -> float:
    """Writes a run folder's generator, or a generator file's, as .safetensors, .onnx or .pt2, by the suffix of `out`.

    part: "whole", "mapping" or "synthesis"; noise: "const", kept in the file, or "input"; uint8: images of 0 to 255,
    [N, H, W, C]. licence: a line on what others may do with the file. Returns the largest difference between the
    file and the network: in gray levels with uint8, else of a range of 2.
    """
    run, out = user_path(run), user_path(out)
    check_file(out)
    generator, notes = load_generator(run), export_notes(run, licence)
    suffix = out.suffix.lower()
    if suffix == ".safetensors":
        if uint8 or part != "whole" or noise != "const":
            raise UserError(
                "`uint8`, `part`, `noise`: safetensors holds the whole generator, leave them out or write .onnx"
            )
        export_safetensors(generator, out, notes)
        return 0.0
    if suffix not in WRITERS:
        raise UserError(f"{out}: give a file that ends in .safetensors, {' or '.join(WRITERS)}")
    vectors = torch.from_numpy(generator.labels.vectors(generator.labels.rows))
    return WRITERS[suffix](ExportedPart(generator.network, part, noise, uint8, vectors), generator.info, out, notes)


def export_notes(run: Path, licence: str | None) -> dict[str, str]:
    """The notes of an exported file beside its configuration: those of the file exported, the run's training, and the
    licence, if one is given."""
    notes = {"licence": NO_LICENCE, **read_notes(run)}
    folder = RunFolder(run)
    if folder.is_run():
        config = folder.read_config()
        # not config.data, which names the user's folders
        training, augment = dataclasses.asdict(config.training), dataclasses.asdict(config.augment)
        notes["training"] = json.dumps({"training": training, "augment": augment})
    if licence is not None:
        notes["licence"] = licence
    return notes


def import_network(
    file: str | Path,
    out: str | Path,
    *,
    classes: Sequence[str] | None = None,
    licence: str | None = None,
    say: Say = print,
) -> TrainedGenerator:
    """Reads a network-snapshot.pkl of StyleGAN2-ADA without running anything of it, writes it as the generator file
    `out` (.safetensors), and returns its generator.

    classes: names in the order of the label vector, "0", "1", ... if not given. licence: what the owner of the weights
    allows; it is kept in all that is made with them. say: called with each line that the command would print.
    """
    import_snapshot(user_path(file), user_path(out), classes, licence, say)
    return load_generator(out)
