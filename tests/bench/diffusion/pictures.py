"""Images that a model made for the comparison, all with the same labels, and what making them took."""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.metrics.evaluate import places_in_shares
from stylegan_ada.pixels import nhwc, to_uint8

Make = Callable[[list[int], np.ndarray], np.ndarray]  # seeds, classes [n] -> uint8 [n, H, W, C]
TIMED = 3  # repetitions


@dataclass(frozen=True, eq=False)
class Made:
    """images: uint8 [N, H, W, C]. seconds_1, seconds_32: for one image alone, and for each of a batch of 32; medians.
    mebibytes: the most memory that the process held."""

    images: np.ndarray
    seconds_1: float
    seconds_32: float
    mebibytes: float

    def sample_uint8(self, seeds: Sequence[int], labels: Sequence[str] | None = None) -> np.ndarray:
        """The images of these seeds, as `metrics.evaluate.compute_generated` asks a generator for them."""
        return self.images[list(seeds)]


def make(dataset: ImageDataset, count: int, draw: Make) -> Made:
    """`count` images with the labels that `compute_generated` takes them to have: the classes in their shares."""
    classes = np.asarray(dataset.labels)[places_in_shares(np.asarray(dataset.labels), count)]
    images = [
        draw(list(range(first, min(first + 32, count))), classes[first : first + 32]) for first in range(0, count, 32)
    ]
    return Made(
        images=np.concatenate(images),
        seconds_1=_median_seconds(lambda: draw([0], classes[:1])),
        seconds_32=_median_seconds(lambda: draw(list(range(32)), np.resize(classes, 32))) / 32,
        mebibytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,  # kibibytes on Linux
    )


def as_levels(draw: Callable[[list[int], Tensor], Tensor]) -> Make:
    """Images [N, C, H, W] about in [-1, 1] -> what `make` asks for."""
    return lambda seeds, classes: nhwc(to_uint8(draw(seeds, torch.from_numpy(classes)))).numpy()


def write_made(made: Made, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, **vars(made))


def read_made(file: Path) -> Made:
    with np.load(file) as arrays:
        return Made(arrays["images"], *(float(arrays[name]) for name in ("seconds_1", "seconds_32", "mebibytes")))


def _median_seconds(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(TIMED):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))
