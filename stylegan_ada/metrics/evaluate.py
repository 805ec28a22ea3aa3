"""How near a generator's images are to the real ones: features of both, then the distances between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..datasets import ImageDataset
from ..errors import UserError, nearest
from ..sampling import TrainedGenerator
from .distances import fid, kid
from .feature_cache import feature_file, read_features, write_features
from .features import Lite0Features

BATCH = 32  # images generated at once

Progress = Callable[[int, int], None]  # (images done, images in all)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    fid: float
    kid: float
    count: int
    """Generated images."""
    n_real: int
    """Real images."""


def evaluate(
    generator: TrainedGenerator,
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
    if count < 2 or len(dataset) < 2:
        raise UserError(f"{count} generated and {len(dataset)} real images: an evaluation needs at least 2 of each")
    _check_shapes(generator, dataset)
    names = _label_names(generator, dataset, count)

    extractor = Lite0Features(device)
    kept = feature_file(dataset.fingerprint, extractor.identity)
    real = read_features(kept, (len(dataset), extractor.dim))
    total = count if real is not None else len(dataset) + count
    if real is None:
        real = extractor.extract(_real_images(dataset), _counter(progress, 0, total))
        write_features(kept, real)
    images = _generated_images(generator, names, seed * count, count)
    generated = extractor.extract(images, _counter(progress, total - count, total))
    return Evaluation(fid=fid(generated, real), kid=kid(generated, real), count=count, n_real=len(dataset))


def labels_in_shares(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """int64 [count]: labels in ascending order, each class within one image of its share among `labels` [N].

    Image i takes the label at place floor(i * N / count) of the sorted labels: for count == N, the labels themselves.
    """
    return np.sort(labels)[np.arange(count) * len(labels) // count]


def _check_shapes(generator: TrainedGenerator, dataset: ImageDataset) -> None:
    if generator.image_shape != dataset.image_shape:
        made, real = ("x".join(map(str, shape)) for shape in (generator.image_shape, dataset.image_shape))
        raise UserError(
            f"the generator makes images of {made} (channels, height, width), and those of the set are {real}: "
            "prepare the set as the run's was"
        )


def _label_names(generator: TrainedGenerator, dataset: ImageDataset, count: int) -> list[str] | None:
    """The class name of each image to generate; None when there are no labels."""
    if dataset.labels is None:
        if generator.classes:
            raise UserError("the generator was trained with labels and the set has none: evaluate it on a labelled set")
        return None
    if not generator.classes:
        raise UserError("the generator was trained without labels and the set has them: load it with use_labels=False")
    for name in dataset.classes:
        if name not in generator.classes:
            raise UserError(f"class {name!r} of the set: the generator has none, {nearest(name, generator.classes)}")
    return [dataset.classes[label] for label in labels_in_shares(dataset.labels, count)]


def _real_images(dataset: ImageDataset) -> Iterator[NDArray[np.uint8]]:
    """uint8 [n, H, W, C], a batch at a time."""
    for start in range(0, len(dataset), BATCH):
        yield dataset.images[start : start + BATCH].transpose(0, 2, 3, 1)


def _generated_images(
    generator: TrainedGenerator, names: list[str] | None, first_seed: int, count: int
) -> Iterator[NDArray[np.uint8]]:
    """uint8 [n, H, W, C], a batch at a time: there may be more images than fit in memory."""
    for start in range(0, count, BATCH):
        stop = min(start + BATCH, count)
        seeds = range(first_seed + start, first_seed + stop)
        yield generator.sample(seeds, None if names is None else names[start:stop])


def _counter(progress: Progress | None, before: int, total: int) -> Callable[[int], None] | None:
    """Tells `progress` of images done, when `before` were done by others."""
    return None if progress is None else lambda done: progress(before + done, total)
