"""The real images of a run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..checkpoint import read_generator
from ..datasets import ImageDataset, load_dataset, split
from ..errors import UserError
from ..metrics.evaluate import RealImages, real_images
from ..resolve import parse_size
from .run_folder import RunFolder


def run_images(run: Path, data: str | None, load: Callable[..., ImageDataset] = load_dataset) -> RealImages:
    """The real images to judge a run by: its own, or those of `data` prepared as its own are.

    run: a run folder, or a generator file with `data`, which then counts as what it was trained on.
    load: called as `load_dataset` is. UserError where there are no such images.
    """
    folder = RunFolder(run)
    config = folder.read_config() if folder.is_run() else None
    if data is None:
        if config is None:
            raise UserError(f"{run}: not a run folder, say with `data` which images to compare with")
        own = config.data
        if not own.source.startswith("sample:") and not Path(own.source).exists():
            raise UserError(f"{own.source}: the run's images are no longer there, name their new place with `data`")
        # the very options of the training, so that the packed images are found
        dataset = load(own.source, size=parse_size(own.size), fit=own.fit, use_labels=own.labels)
        return real_images(dataset, *split(dataset, own.holdout, own.subset, config.training.seed))
    network = read_generator(run)[1].network if config is None else config.network
    dataset = load(
        data,
        size=(network.height, network.width),
        fit="crop" if config is None else config.data.fit,
        use_labels=network.c_dim > 0,
        channels=network.channels,
    )
    everything = np.arange(len(dataset))
    if config is None:
        return RealImages(dataset=dataset, reference=everything, trained_on=everything)
    if dataset.fingerprint != config.fingerprint:
        return RealImages(dataset=dataset, reference=everything)
    trained_on, held_out = split(dataset, config.data.holdout, config.data.subset, config.training.seed)
    held = held_out if len(held_out) else None
    return RealImages(dataset=dataset, reference=everything, trained_on=trained_on, held_out=held)
