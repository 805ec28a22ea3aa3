"""Measuring a generator: features of its images and of real ones, to compute metrics of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from .. import distributed
from ..datasets import ImageDataset
from ..errors import UserError, nearest
from ..labels.attribute import Attribute
from ..pixels import nhwc
from ..progress import Progress
from ..sampling import TrainedGenerator
from .feature_cache import feature_file, read_features, write_features
from .feature_sets import FeatureSets, RealFeatures
from .judges import LabelledPictures, RealPictures
from .mathematics.memorisation import Copies
from .mathematics.pixel_statistics import pixel_rows
from .mathematics.thumbnails import SIDE, small_copies, thumbnails
from .networks.extractor import Extractor

BATCH = 32  # images generated at once
MOST_PIXELS = 5000  # real images of which pixel statistics are taken

Number = TypeVar("Number", np.float32, np.uint8)


@dataclass(frozen=True, eq=False, kw_only=True)
class RealImages:
    """A set, and which of its images are what; all int [n] indices.

    reference: to compare with. trained_on: what the generator has seen, None if that is not in this set.
    held_out: what it has not, None if there are no such images.
    """

    dataset: ImageDataset
    reference: NDArray[np.int64]
    trained_on: NDArray[np.int64] | None = None
    held_out: NDArray[np.int64] | None = None


def real_images(dataset: ImageDataset, trained_on: NDArray[np.int64], held_out: NDArray[np.int64]) -> RealImages:
    """The images of a run's own set. The reference is the held-out images if there are any, else the training
    images."""
    if len(held_out):
        return RealImages(dataset=dataset, reference=held_out, trained_on=trained_on, held_out=held_out)
    return RealImages(dataset=dataset, reference=trained_on, trained_on=trained_on)


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """A generator, the real images that it is judged by, features of both, and the network that these are by."""

    generator: TrainedGenerator
    real: RealImages
    features: FeatureSets
    network: str


def compute_features(
    generator: TrainedGenerator,
    real: RealImages,
    extractor: Extractor,
    count: int,
    *,
    seed: int = 0,
    pictures: bool = False,
    progress: Progress | None = None,
) -> FeatureSets:
    """Features of `count` generated images and of the real ones: `compute_generated` with `compute_real`.

    pictures: with small copies of both, which some metrics need (`table.pictured_metrics`).
    """
    if count < 2:
        raise UserError(f"{count} generated images: at least 2 are needed")
    check_fit(generator, real)
    known = _kept_features(real.dataset, extractor) is not None
    before, total = (0, count) if known else (len(real.dataset), len(real.dataset) + count)
    real_features = compute_real(real, extractor, _counter(progress, 0, total))
    if pictures:
        real_features = replace(real_features, pictures=_real_pictures(real, extractor.device))
    return compute_generated(
        generator, real_features, extractor, count, seed=seed, progress=_counter(progress, before, total)
    )


def compute_real(real: RealImages, extractor: Extractor, progress: Callable[[int], None] | None = None) -> RealFeatures:
    """Features of the real images, those of the whole set computed once and kept in the cache folder.

    Under torchrun each process computes its share of the images, and all have the result.
    """
    dataset, trained_on = real.dataset, real.trained_on
    rows = _kept_features(dataset, extractor)
    if rows is None:
        rows = _extract(extractor, len(dataset), lambda i, j: _real_batches(dataset, i, j), progress)
        if distributed.rank() == 0:
            write_features(feature_file(dataset.fingerprint, extractor.identity), rows)
    features, labels = extractor.features(rows), dataset.labels
    small = _kept_rows(dataset, f"thumbnails {SIDE}", thumbnails)
    return RealFeatures(
        reference=features[real.reference],
        trained_on=None if trained_on is None else features[trained_on],
        held_out=None if real.held_out is None else features[real.held_out],
        trained_on_thumbnails=None if trained_on is None else small[trained_on],
        held_out_thumbnails=None if real.held_out is None else small[real.held_out],
        reference_pixels=_pixels(real),
        reference_labels=None if labels is None else labels[real.reference],
        trained_on_labels=None if labels is None or trained_on is None else labels[trained_on],
        classes=dataset.classes,
        reference_texts=tuple(dataset.label_texts(real.reference)),
        attributes=dataset.attributes,
        reference_vectors=_vectors(dataset, real.reference),
        trained_on_vectors=_vectors(dataset, trained_on),
        held_out_vectors=_vectors(dataset, real.held_out),
    )


def _pixels(real: RealImages) -> NDArray[np.float32]:
    """`pixel_rows` of the reference images, or of so many of them, evenly chosen, that it does not take long."""
    count = len(real.reference)
    places = np.linspace(0, count - 1, min(count, MOST_PIXELS)).astype(np.int64)
    return np.concatenate([pixel_rows(nhwc(real.dataset.images[part])) for part in _parts(real.reference[places])])


def _parts(indices: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [indices[first : first + BATCH] for first in range(0, len(indices), BATCH)]


def _vectors(dataset: ImageDataset, indices: NDArray[np.int64] | None) -> NDArray[np.float32] | None:
    """Label vectors, where they are of attributes."""
    return None if indices is None or not dataset.attributes else dataset.label_vectors(indices)


def compute_generated(
    generator: TrainedGenerator,
    real: RealFeatures,
    extractor: Extractor,
    count: int,
    *,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> FeatureSets:
    """Features of `count` generated images, without truncation, beside those of the real ones.

    The images are those of the generator's seeds seed * count ... seed * count + count - 1, with labels of reference
    images (`places_in_shares`), small copies of them kept if `real` has some. Under torchrun as `compute_real`.
    """
    places = None if real.reference_labels is None else places_in_shares(real.reference_labels, count)
    texts = () if places is None else tuple(real.reference_texts[place] for place in places)

    def batches(start: int, stop: int) -> Iterator[NDArray[np.uint8]]:
        return _generated_batches(generator, texts, seed * count, start, stop)

    small: list[NDArray[np.float32]] = []
    pixels: list[NDArray[np.float32]] = []
    pictures: list[NDArray[np.uint8]] = []

    def noted(start: int, stop: int) -> Iterator[NDArray[np.uint8]]:
        for images in batches(start, stop):
            small.append(thumbnails(images))
            pixels.append(pixel_rows(images))
            if real.pictures is not None:
                pictures.append(small_copies(images))
            yield images

    rows = _extract(extractor, count, noted, progress)
    return FeatureSets(
        real=real,
        generated=extractor.features(rows),
        labels=None if places is None or real.reference_labels is None else real.reference_labels[places],
        texts=texts,
        vectors=None if places is None or real.reference_vectors is None else real.reference_vectors[places],
        seed=seed,
        logits=extractor.logits(rows),
        thumbnails=_gathered(np.concatenate(small), count),
        pixels=_gathered(np.concatenate(pixels), count),
        pictures=_gathered(np.concatenate(pictures), count) if pictures else None,
    )


def check_fit(generator: TrainedGenerator, real: RealImages) -> None:
    """Raises UserError if the set's images or classes are not those that the generator makes, or if it has one image
    only."""
    if len(real.reference) < 2:
        raise UserError(f"{len(real.reference)} real images: at least 2 are needed")
    _check_shapes(generator, real.dataset)
    _check_classes(generator, real.dataset)


def _kept_features(dataset: ImageDataset, extractor: Extractor) -> NDArray[np.float32] | None:
    """The extractor's stored features of all images of the set, if every process has them; else None."""
    rows = read_features(feature_file(dataset.fingerprint, extractor.identity), len(dataset))
    missing = distributed.any_rank(rows is None)  # they may be on disks of their own
    return None if missing else rows


def _kept_rows(
    dataset: ImageDataset, name: str, compute: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """A row for each image of the whole set, computed once: a large set's images take long to read."""
    path = feature_file(dataset.fingerprint, name)
    rows = read_features(path, len(dataset))
    if rows is None:
        rows = compute(nhwc(dataset.images))
        if distributed.rank() == 0:
            write_features(path, rows)
    return rows


def _real_pictures(real: RealImages, device: torch.device) -> RealPictures | None:
    """Small copies of the labelled images: those trained on, or the reference where they are not known. None without
    labels."""
    dataset = real.dataset
    if dataset.labels is None:
        return None
    everything = LabelledPictures(
        images=small_copies(nhwc(dataset.images)),
        labels=dataset.labels,
        groups=dataset.groups,
        vectors=_vectors(dataset, np.arange(len(dataset))),
    )
    return RealPictures(
        training=everything[real.reference if real.trained_on is None else real.trained_on],
        held_out=None if real.held_out is None else everything[real.held_out],
        classes=len(dataset.classes),
        attributes=dataset.attributes,
        device=device,
    )


def closest_pairs(
    generator: TrainedGenerator, real: RealImages, features: FeatureSets, copies: Copies, count: int = 16
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The generated images that lie nearest to a training image, and those, both uint8 [n, H, W, C], nearest first.

    features, copies: of `compute_features` with the same generator and images.
    """
    assert real.trained_on is not None
    chosen = np.argsort(copies.distance)[:count]
    texts = [features.texts[index] for index in chosen] if features.texts else None
    images = generator.sample_uint8((chosen + features.seed * len(features.generated)).tolist(), texts)
    nearest_real = real.trained_on[copies.nearest[chosen]]
    return images, nhwc(real.dataset.images[nearest_real])


def places_in_shares(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """int64 [count]: places in `labels` [N], in the order of the labels, each class within one of its share.

    The i-th is at floor(i * N / count) of the places sorted by label: for count == N, every place once.
    """
    return np.argsort(labels, kind="stable")[np.arange(count) * len(labels) // count]


def _generated_batches(
    generator: TrainedGenerator, texts: Sequence[str], first_seed: int, start: int, stop: int
) -> Iterator[NDArray[np.uint8]]:
    """Images start ... stop - 1 of an evaluation, uint8 [n, H, W, C], a batch at a time. texts: labels of all its
    images, () without."""
    for first in range(start, stop, BATCH):
        last = min(first + BATCH, stop)
        yield generator.sample_uint8(range(first_seed + first, first_seed + last), list(texts[first:last]) or None)


def _check_shapes(generator: TrainedGenerator, dataset: ImageDataset) -> None:
    if generator.image_shape != dataset.image_shape:
        made, real = ("x".join(map(str, shape)) for shape in (generator.image_shape, dataset.image_shape))
        raise UserError(
            f"the generator makes images of {made} (channels, height, width), and those of the set are {real}: "
            "prepare the set as the run's was"
        )


def _check_classes(generator: TrainedGenerator, dataset: ImageDataset) -> None:
    if dataset.labels is None:
        if generator.classes:
            raise UserError("the generator was trained with labels and the set has none: evaluate it on a labelled set")
        return
    if not generator.classes:
        raise UserError("the generator was trained without labels and the set has them: load it with use_labels=False")
    if dataset.attributes or not generator.labels.is_flat:
        _check_attributes(generator.labels.attributes, dataset.attributes)
        return
    for name in dataset.classes:
        if name not in generator.classes:
            raise UserError(f"class {name!r} of the set: the generator has none, {nearest(name, generator.classes)}")


def _check_attributes(own: Sequence[Attribute], others: Sequence[Attribute]) -> None:
    """Raises UserError if a set has other attributes or values than the generator."""
    kinds = [(attribute.name, attribute.kind) for attribute in own]
    if [(attribute.name, attribute.kind) for attribute in others] != kinds:
        words = ",".join(f"{name}:{kind}" for name, kind in kinds)
        raise UserError(
            f"the generator's labels are {words}, and those of the set are not: read it by such `attributes`"
        )
    for attribute, other in zip(own, others, strict=True):
        for value in other.values:
            if value not in attribute.values:
                known = nearest(value, attribute.values)
                raise UserError(f"{attribute.name} {value!r} of the set: the generator has no such value, {known}")
        if other.unknown and not attribute.unknown:
            raise UserError(f"{attribute.name} is unknown of some images of the set: the generator never met that")


def _real_batches(dataset: ImageDataset, start: int, stop: int) -> Iterator[NDArray[np.uint8]]:
    """uint8 [n, H, W, C], a batch at a time."""
    for first in range(start, stop, BATCH):
        yield nhwc(dataset.images[first : min(first + BATCH, stop)])


def _extract(
    extractor: Extractor,
    count: int,
    batches: Callable[[int, int], Iterator[NDArray[np.uint8]]],
    progress: Callable[[int], None] | None,
) -> NDArray[np.float32]:
    """[count, D], each process having computed an equal share of consecutive rows."""
    world = distributed.world_size()
    share = -(-count // world)
    start = min(distributed.rank() * share, count - 1)  # at least one row, so that every process knows their length
    stop = max(min((distributed.rank() + 1) * share, count), start + 1)
    if progress is not None:
        tell, progress = progress, lambda done: tell(min(done * world, count))
    return _gathered(extractor.extract(batches(start, stop), progress), count)


def _gathered(part: NDArray[Number], count: int) -> NDArray[Number]:
    """All processes' rows, of which each has an equal share but the last ones."""
    share = -(-count // distributed.world_size())
    padded = np.zeros((share, *part.shape[1:]), part.dtype)
    padded[: len(part)] = part
    return distributed.gather(torch.from_numpy(padded)).numpy()[:count]


def _counter(progress: Progress | None, before: int, total: int) -> Callable[[int], None] | None:
    """Tells `progress` of images done, when `before` were done by others."""
    return None if progress is None else lambda done: progress(before + done, total)
