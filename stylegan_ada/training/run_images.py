"""The real images of a run."""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checkpoint import generator_file, read_info
from ..config import RunConfig
from ..config.attributes import asked_of
from ..config.masks import ALPHA, BESIDE, REFUSED
from ..config.preparation import Preparation
from ..datasets import ImageDataset, holdout_split, load_dataset
from ..datasets.labels.groups import NoGroups
from ..datasets.labels.splits import NoSplits
from ..datasets.labels.tables import NoColumns
from ..datasets.masks.errors import MaskError, NoKinds
from ..errors import UserError
from ..metrics.evaluate import RealImages, real_images
from .run_folder import RunFolder


def run_images(run: Path, data: str | None, load: Callable[..., ImageDataset] = load_dataset) -> RealImages:
    """The real images to judge a run by: its own, or those of `data` prepared as its own are.

    run: a run folder, or a generator file with `data`, which then counts as what it was trained on (not so of imported
    weights: what these have seen is not known).
    load: called as `load_dataset` is. UserError where there are no such images.
    """
    folder = RunFolder(run)
    config = folder.read_config() if folder.is_run() else None
    if data is None:
        if config is None:
            raise UserError(f"{run}: not a run folder, say with `data` which images to compare with")
        own = config.data
        if not own.data.startswith("sample:") and not Path(own.data).exists():
            raise UserError(f"{own.data}: the run's images are no longer there, name their new place with `data`")
        dataset = load_as(config, load)
        return real_images(dataset, *run_split(dataset, config))
    info = read_info(generator_file(run))
    network = info.network
    preparation = replace(
        Preparation(attributes=asked_of(info.attributes)) if config is None else config.data.preparation,
        size=(network.height, network.width),
        use_labels=network.c_dim > 0,
        channels=network.channels,
        beyond_8_bits=info.window is not None,
        window=info.window,
    )
    dataset = load_other(data, preparation, load)
    masks = preparation.masks
    if masks not in (None, BESIDE, ALPHA) and (config is None or dataset.fingerprint != config.fingerprint):
        # a place that the run's options name holds the masks of its own images
        dataset = load_other(data, replace(preparation, masks=BESIDE), load)
    everything = np.arange(len(dataset))
    if config is None:
        return RealImages(dataset=dataset, reference=everything, trained_on=everything if info.images_seen else None)
    if dataset.fingerprint != config.fingerprint:
        return RealImages(dataset=dataset, reference=everything)
    trained_on, held_out = run_split(dataset, config)
    held = held_out if len(held_out) else None
    return RealImages(dataset=dataset, reference=everything, trained_on=trained_on, held_out=held)


def run_split(dataset: ImageDataset, config: RunConfig) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """int64 [n], [m]: which images of its set a run is trained on, and which it holds out (`holdout_split`)."""
    data = config.data
    return holdout_split(dataset, data.holdout, data.subset, config.training.seed, data.copies_together)


def load_other(
    source: str, preparation: Preparation, load: Callable[..., ImageDataset], needs_masks: bool = False
) -> ImageDataset:
    """The images of perhaps another set than a run's own, which need not have its splits, groups, columns and masks,
    nor all kinds of these. needs_masks: masks it must have."""
    again = functools.partial(load_other, load=load, needs_masks=needs_masks)
    try:
        return load(source, preparation)
    except NoKinds:
        optional = tuple(replace(kind, optional=True) for kind in preparation.mask_kinds)
        return again(source, replace(preparation, mask_kinds=optional))
    except NoSplits:
        return again(source, replace(preparation, split=None))
    except NoGroups:
        return again(source, replace(preparation, groups=None))
    except MaskError:
        if needs_masks:
            raise
        return again(source, replace(preparation, masks=None, mask_kinds=(), ignore=None, unmasked=REFUSED))
    except NoColumns:
        if preparation.file_column is None and preparation.label_column is None:
            raise
        return again(source, replace(preparation, file_column=None, label_column=None))


def load_as(config: RunConfig, load: Callable[..., ImageDataset], **options: Any) -> ImageDataset:
    """The images of a run by the very options of its training, so that the packed ones are found. options: further ones
    of `load`. A run that was begun when all images were cut to 8 bits has them so."""
    preparation = config.data.preparation
    dataset = load(config.data.data, preparation, **options)
    if dataset.window == config.window:
        return dataset
    return load(config.data.data, replace(preparation, beyond_8_bits=False), **options)
