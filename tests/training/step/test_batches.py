"""The thread that reads the next step's images."""

import threading
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada.config import DataConfig, TrainingConfig
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.training.step.batches import BatchSource

N, BATCH = 20, 8


class Failing:
    """Images of which number 3 cannot be read; `threads` have asked for some."""

    def __init__(self, images: np.ndarray, fails: bool):
        self.images, self.fails = images, fails
        self.threads: list[str] = []

    def __getitem__(self, places: Any) -> np.ndarray:
        self.threads.append(threading.current_thread().name)
        if self.fails and 3 in places:
            raise OSError("the drive is gone")
        return self.images[places]


def source(fails: bool = False) -> BatchSource:
    images = np.random.default_rng(0).integers(0, 256, (N, 1, 4, 4), np.uint8)
    labels = np.arange(N) % 2
    names = tuple(map(str, range(N)))
    dataset = ImageDataset(images, labels, ("a", "b"), names, (), "")
    object.__setattr__(dataset, "images", Failing(images, fails))
    training = TrainingConfig(kimg=1, batch=BATCH, micro_batch=3)
    return BatchSource(dataset, np.arange(N), DataConfig(data="x", mirror="h"), training, "real", torch.device("cpu"))


def values(batches: list[Any]) -> list[Any]:
    return [(batch.first, batch.indices.tolist(), batch.images.tolist(), batch.c.tolist()) for batch in batches]


def test_a_thread_reads_the_same_images() -> None:
    """Also where a step is asked for again, or another than the next."""
    steps = [0, 0, 8, 16, 40, 48]
    ahead = source()
    with ahead.reading_ahead():
        found = [values(ahead.micro_batches(step)) for step in steps]
    assert found == [values(source().micro_batches(step)) for step in steps]
    assert any(name.startswith("next batch") for name in ahead.dataset.images.threads)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
def test_no_thread_is_left(error: type[BaseException] | None) -> None:
    before, ahead = threading.active_count(), source()
    with nullcontext() if error is None else pytest.raises(error), ahead.reading_ahead():
        ahead.micro_batches(0)
        if error is not None:
            raise error
    assert threading.active_count() == before
    asked = len(ahead.dataset.images.threads)
    ahead.micro_batches(0)
    assert threading.active_count() == before
    assert len(ahead.dataset.images.threads) == asked + 3  # this step alone


def test_an_error_of_the_thread_is_raised_by_the_step_that_needs_the_images() -> None:
    """Which one that is does not depend on the thread."""

    def steps(batches: BatchSource, done: list[int]) -> None:
        for step in range(3):
            batches.micro_batches(step * BATCH)
            done.append(step)

    def steps_done(batches: BatchSource) -> list[int]:
        done: list[int] = []
        with pytest.raises(OSError, match="the drive is gone"):
            steps(batches, done)
        return done

    ahead = source(fails=True)
    with ahead.reading_ahead():
        found = steps_done(ahead)
    assert found == steps_done(source(fails=True))


@pytest.mark.parametrize("mirror", ["h", "hv", "quarter"])
@pytest.mark.parametrize("deep", [False, True])
def test_masks_are_mirrored_with_their_images(mirror: str, deep: bool) -> None:
    """Masks that are copies of their images still are."""
    images = np.random.default_rng(0).integers(0, 256, (N, 1, 4, 4), np.uint8)
    levels = images.astype(np.uint16) * 257 if deep else None
    names = tuple(map(str, range(N)))
    dataset = ImageDataset(images, None, (), names, (), "", levels=levels, masks=images.copy(), mask_kinds=("crack",))
    training = TrainingConfig(kimg=1, batch=BATCH)
    batches = BatchSource(
        dataset, np.arange(N), DataConfig(data="x", mirror=mirror), training, "real", torch.device("cpu")
    )
    (batch,) = batches.micro_batches(0)
    assert batch.images.shape == (BATCH, 2, 4, 4)
    torch.testing.assert_close(batch.images[:, 0], batch.images[:, 1], atol=1e-4, rtol=0)
