"""What a snapshot leaves in the run's folder."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from stylegan_ada import load_generator
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.sampling import sample_grid
from stylegan_ada.training import RunFolder
from stylegan_ada.training.outputs.log import Log
from stylegan_ada.training.outputs.snapshot import generator_info, write_snapshot
from stylegan_ada.training.state import fresh_state

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path, tiny_config: Callable[..., Any], dataset: ImageDataset) -> RunFolder:
    """After three snapshots, of which two checkpoints are to be kept."""
    config, folder = tiny_config(keep=2), RunFolder(tmp_path)
    state, log = fresh_state(config, CPU), Log(folder, 0)
    for images in (8, 16, 24):
        state.images_seen = images
        state.generator_ema.w_mean.fill_(images / 8)
        log.write({"images": images, "kimg": images / 1000, "p": 0.0, "loss_G": 1.0, "sec_per_kimg": 1.0})
        write_snapshot(folder, state, generator_info(config, dataset, np.arange(24), images), config, log)
    log.close()
    return folder


def test_its_files(folder: RunFolder) -> None:
    names = {path.name for path in folder.path.iterdir() if "tfevents" not in path.name}
    samples = {f"samples-00000000{images}.png" for images in ("08", "16", "24")}
    checkpoints = {"checkpoint-0000000016.pt", "checkpoint-0000000024.pt"}
    assert names == samples | checkpoints | {"generator.safetensors", "curves.png", "log.jsonl"}


def test_the_generator_and_its_samples_are_of_the_moving_average_at_that_moment(folder: RunFolder) -> None:
    generator = load_generator(folder.path)
    assert generator.info.images_seen == 24
    assert (generator.network.w_mean == 3).all()
    with Image.open(folder.samples_file(24)) as kept:
        samples = np.asarray(kept)
    np.testing.assert_array_equal(samples, np.asarray(sample_grid(generator)))


def test_tensorboard_has_the_samples(folder: RunFolder) -> None:
    events = EventAccumulator(str(folder.path)).Reload()
    assert [event.step for event in events.Images("samples")] == [8, 16, 24]


def test_the_checkpoint_is_the_whole_state(folder: RunFolder, tiny_config: Callable[..., Any]) -> None:
    config = tiny_config(keep=2)
    state = fresh_state(config, CPU)
    state.load(folder.checkpoint_file(24), config)
    assert state.images_seen == 24
    assert (state.generator_ema.w_mean == 3).all()


def test_classes_are_counted_over_the_training_images(tiny_config: Callable[..., Any], dataset: ImageDataset) -> None:
    """Here five bright images."""
    bright = np.flatnonzero([name.startswith("bright") for name in dataset.names])
    info = generator_info(tiny_config(), dataset, bright[:5], 32)
    assert (info.classes, info.class_counts, info.images_seen) == (("bright", "dark"), (5, 0), 32)


def test_without_classes_there_are_no_counts(tiny_config: Callable[..., Any], dataset: ImageDataset) -> None:
    config = tiny_config()
    config = dataclasses.replace(config, classes=(), network=dataclasses.replace(config.network, c_dim=0))
    assert generator_info(config, dataset, np.arange(24), 32).class_counts == ()
