"""How near a generator's images are to the real ones: features of both, then the distances between them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ..datasets import ImageDataset
from ..errors import UserError, nearest
from .distances import fid, kid
from .feature_cache import feature_file, read_features, write_features
from .features import BATCH, Lite0Features

Progress = Callable[[str, int, int], None]  # (what, images done, images in all)


class Sampler(Protocol):
    """What is asked of a generator; `stylegan_ada.load_generator` gives one."""

    @property
    def classes(self) -> Sequence[str] | None:
        """The names of its classes; None or empty when it was trained without labels."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""

    def sample(
        self, seeds: Sequence[int], labels: Sequence[str] | None = None, truncation_psi: float = 1.0
    ) -> NDArray[np.uint8]:
        """uint8 [N, H, W, C], an image per seed."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    fid: float
    kid: float
    count: int
    """Generated images."""
    n_real: int
    """Real images."""


def evaluate(
    generator: Sampler,
    dataset: ImageDataset,
    count: int,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Evaluation:
    """Compare `count` generated images, without truncation, with all images of a set, by their Lite0 features.

    The images are those of the generator's seeds seed * count ... seed * count + count - 1, with labels in the set's
    shares (`labels_in_shares`). The features of the real images are computed once and kept in the cache folder.
    device: where the features are computed; the generator runs where it is. UserError if the set's images or classes
    are not those that the generator makes, or if there are fewer than 2 images on a side.
    """
    _check_counts(count, len(dataset))
    _check_shapes(generator, dataset)
    labels = None if dataset.labels is None else labels_in_shares(dataset.labels, count)
    names = None if labels is None else _label_names(generator, dataset, labels)
    if names is None and generator.classes:
        raise UserError("the generator was trained with labels, and this set has none: evaluate it on a labelled set")

    extractor = Lite0Features(device)
    real = _real_features(extractor, dataset, progress)
    images = _generated_images(generator, names, seed * count, count)
    generated = extractor.extract(images, _reporter(progress, "generated images", count))
    return Evaluation(fid=fid(generated, real), kid=kid(generated, real), count=count, n_real=len(dataset))


def labels_in_shares(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """int64 [count]: labels in ascending order, each class within one image of its share among `labels` [N].

    Image i takes the label at place floor(i * N / count) of the sorted labels: for count == N, the labels themselves.
    """
    return np.sort(labels)[np.arange(count) * len(labels) // count]


def _check_counts(count: int, n_real: int) -> None:
    if count < 2:
        raise UserError(f"an evaluation needs at least 2 generated images, not {count}")
    if n_real < 2:
        raise UserError(f"an evaluation needs at least 2 real images, and the set has {n_real}")


def _check_shapes(generator: Sampler, dataset: ImageDataset) -> None:
    channels, height, width = dataset.images.shape[1:]
    if tuple(generator.image_shape) != (channels, height, width):
        made = "x".join(str(side) for side in generator.image_shape)
        raise UserError(
            f"the generator makes images of {made} (channels, height, width), and the set's are "
            f"{channels}x{height}x{width}: open the set at the generator's size"
        )


def _label_names(generator: Sampler, dataset: ImageDataset, labels: NDArray[np.int64]) -> list[str]:
    """The class name of each image to generate."""
    if not generator.classes:
        raise UserError("the generator was trained without labels: evaluate it on the set without labels, too")
    names = [dataset.classes[label] for label in labels]
    for name in dict.fromkeys(names):
        if name not in generator.classes:
            raise UserError(f"the generator has no class {name!r} of this set: {nearest(name, generator.classes)}")
    return names


def _real_features(extractor: Lite0Features, dataset: ImageDataset, progress: Progress | None) -> NDArray[np.float32]:
    """float32 [N, D], from the cache if they are there."""
    path = feature_file(dataset.fingerprint, extractor.identity)
    features = read_features(path, (len(dataset), extractor.dim))
    if features is None:
        batches = (dataset.images[i : i + BATCH].transpose(0, 2, 3, 1) for i in range(0, len(dataset), BATCH))
        features = extractor.extract(batches, _reporter(progress, "real images", len(dataset)))
        write_features(path, features)
    return features


def _generated_images(
    generator: Sampler, names: list[str] | None, first_seed: int, count: int
) -> Iterator[NDArray[np.uint8]]:
    """uint8 [n, H, W, C], a batch at a time: there may be more images than fit in memory."""
    for start in range(0, count, BATCH):
        stop = min(start + BATCH, count)
        seeds = range(first_seed + start, first_seed + stop)
        yield generator.sample(seeds, None if names is None else names[start:stop])


def _reporter(progress: Progress | None, what: str, total: int) -> Callable[[int], None] | None:
    """`progress` for one of the two sets."""
    return None if progress is None else lambda done: progress(what, done, total)
