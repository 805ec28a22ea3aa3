"""The files of a snapshot."""

from collections import Counter

import numpy as np
from PIL import Image

from ...checkpoint import GeneratorInfo, save_generator
from ...config import RunConfig
from ...datasets import ImageDataset
from ...devices import return_freed_memory
from ...files import atomic_path
from ...report.plots import plot_curves
from ...sampling import TrainedGenerator, sample_grid
from ..checkpoints import TrainingState
from ..run_folder import RunFolder
from .log import Log


def write_snapshot(folder: RunFolder, state: TrainingState, info: GeneratorInfo, config: RunConfig, log: Log) -> None:
    """Writes the checkpoint, of which some stay; samples, for TensorBoard too; curves; the generator."""
    folder.save_checkpoint(state, config)
    picture = write_generator(folder, state, info, config)
    log.picture(np.asarray(picture), state.images_seen)
    return_freed_memory()


def write_generator(folder: RunFolder, state: TrainingState, info: GeneratorInfo, config: RunConfig) -> Image.Image:
    """Writes what goes with the checkpoint of this moment, and returns the samples. The generator comes last: where it
    is of this moment, nothing is missing, which a run that goes on looks at."""
    folder.forget_old_checkpoints(config.training.keep)
    picture = sample_grid(TrainedGenerator(state.generator_ema, info))
    with atomic_path(folder.samples_file(state.images_seen)) as temporary:
        picture.save(temporary)
    with atomic_path(folder.curves_file) as temporary:
        plot_curves([row for row in folder.read_log() if row["images"] <= state.images_seen], temporary)
    notes = {"origin": config.start.origin, "licence": config.start.licence}  # of imported weights
    said = {name: text for name, text in notes.items() if text is not None}
    save_generator(folder.generator_file, state.generator_ema, info, said)
    return picture


def generator_info(config: RunConfig, dataset: ImageDataset, members: np.ndarray, images_seen: int) -> GeneratorInfo:
    """The facts of a run's generator. members: indices of the images that it is trained on."""
    counts = (
        np.bincount(dataset.labels[members], minlength=len(config.classes))
        if config.classes and dataset.labels is not None
        else np.zeros(0, int)
    )
    labels = Counter(dataset.label_texts(members)) if config.attributes else {}
    return GeneratorInfo(
        network=config.network,
        classes=config.classes,
        class_counts=tuple(int(count) for count in counts),
        images_seen=images_seen,
        window=dataset.window,
        balance=config.data.balance,
        attributes=config.attributes,
        labels=tuple(labels),
        label_counts=tuple(labels.values()),
        mask_kinds=dataset.mask_kinds,
    )
