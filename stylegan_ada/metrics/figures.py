"""The figures of an evaluation, a function each: pure functions of the features of both sides.

resamples: for the intervals of FIDs; 0 for none. A function raises ValueError, with the reason, where it cannot be had.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from . import distances, intervals, score
from .labels import LabelFidelity, LabelReader
from .manifold import DENSITY_K, PRECISION_K, density_coverage_hits, precision_recall_hits
from .memorisation import QUANTILE, Copies, copies_by_distance, either, unseen_distances
from .neighbours import Features, kth_squared_distance


@dataclass(frozen=True, eq=False, kw_only=True)
class RealSide:
    """Features of real images, and what follows from them alone, computed once for many generators.

    reference [N, D]: to compare with. trained_on, held_out: training images, and real ones that training never saw;
    None where they are not known; their thumbnails, to find copies by as well. Labels, of each set's images, are
    0 ... C - 1, None without; classes: their names.
    """

    reference: Features
    trained_on: Features | None = None
    held_out: Features | None = None
    trained_on_thumbnails: Features | None = None
    held_out_thumbnails: Features | None = None
    reference_labels: NDArray[np.int64] | None = None
    trained_on_labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()

    @cached_property
    def precision_radii(self) -> NDArray[np.float64]:
        return kth_squared_distance(self.reference, PRECISION_K)

    @cached_property
    def density_radii(self) -> NDArray[np.float64]:
        return kth_squared_distance(self.reference, DENSITY_K)

    @cached_property
    def unseen_distances(self) -> NDArray[np.float64]:
        assert self.trained_on is not None
        return unseen_distances(self.trained_on, self.held_out)

    @cached_property
    def unseen_thumbnail_distances(self) -> NDArray[np.float64]:
        assert self.trained_on_thumbnails is not None
        return unseen_distances(self.trained_on_thumbnails, self.held_out_thumbnails)

    @cached_property
    def labelled(self) -> tuple[Features, NDArray[np.int64]]:
        """What a classifier can learn from: all training images where they are known."""
        if self.trained_on is not None and self.trained_on_labels is not None:
            return self.trained_on, self.trained_on_labels
        if self.reference_labels is None:
            raise ValueError("there are no labels")
        return self.reference, self.reference_labels

    @cached_property
    def reader(self) -> LabelReader:
        return LabelReader(*self.labelled)


@dataclass(frozen=True, eq=False, kw_only=True)
class Sides:
    """Features of real and of generated images [M, D], of the generator's seeds seed * M ... seed * M + M - 1.

    labels [M]: what was asked for, None without labels.
    logits [M, K]: of generated images, None where the network has none; thumbnails: theirs, None where not made.
    """

    real: RealSide
    generated: Features
    seed: int = 0
    labels: NDArray[np.int64] | None = None
    logits: Features | None = None
    thumbnails: Features | None = None

    @cached_property
    def precision_recall(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return precision_recall_hits(self.real.reference, self.generated, self.real.precision_radii)

    @cached_property
    def density_coverage(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        return density_coverage_hits(self.real.reference, self.generated, self.real.density_radii)

    def of_class(self, label: int) -> tuple[Features, Features]:
        """Reference and generated features of one class."""
        return self.real.reference[self.real.reference_labels == label], self.generated[self.labels == label]


@dataclass(frozen=True, eq=False, kw_only=True)
class Figure:
    """value; low, high: its 95% interval, NaN where there is none; n_real, n_fake: images on both sides.

    detail: FID by class name for intra_fid; what lies behind copies and label_accuracy; else None.
    """

    value: float
    low: float
    high: float
    n_real: int
    n_fake: int
    detail: dict[str, float] | Copies | LabelFidelity | None = None


def _figure(
    sides: Sides, value: float, interval: tuple[float, float], detail: dict[str, float] | None = None
) -> Figure:
    low, high = interval
    n_real, n_fake = len(sides.real.reference), len(sides.generated)
    return Figure(value=value, low=low, high=high, n_real=n_real, n_fake=n_fake, detail=detail)


def fid(sides: Sides, resamples: int) -> Figure:
    value = distances.fid(sides.real.reference, sides.generated)
    return _figure(sides, value, _fid_interval(value, sides.real.reference, sides.generated, resamples))


def _fid_interval(value: float, real: Features, generated: Features, resamples: int) -> tuple[float, float]:
    def resampled(i: NDArray[np.int64], j: NDArray[np.int64]) -> float:
        return distances.fid(real[i], generated[j])

    return intervals.around(value, resampled, len(real), len(generated), resamples)


def kid(sides: Sides, resamples: int) -> Figure:
    value, error = distances.kid_with_error(sides.real.reference, sides.generated)
    reach = intervals.NORMAL_95 * error
    return _figure(sides, value, (value - reach, value + reach))


def _mean(values: Callable[[Sides], NDArray[np.generic]]) -> Callable[[Sides, int], Figure]:
    """A figure that is the mean of a number per image."""

    def figure(sides: Sides, resamples: int) -> Figure:
        numbers = values(sides)
        return _figure(sides, float(numbers.mean()), intervals.of_mean(numbers))

    return figure


def intra_fid(sides: Sides, resamples: int) -> Figure:
    if sides.real.reference_labels is None or sides.labels is None:
        raise ValueError("there are no labels")
    pairs = {name: sides.of_class(label) for label, name in enumerate(sides.real.classes)}
    pairs = {name: (real, generated) for name, (real, generated) in pairs.items() if len(real) > 1}
    if not pairs or min(len(generated) for _, generated in pairs.values()) < 2:
        raise ValueError("some class has fewer than 2 images: generate more")
    per_class = {name: distances.fid(real, generated) for name, (real, generated) in pairs.items()}
    bounds = [_fid_interval(per_class[name], real, generated, resamples) for name, (real, generated) in pairs.items()]
    value = float(np.mean(list(per_class.values())))
    reach = sqrt(sum(((high - low) / 2) ** 2 for low, high in bounds)) / len(pairs)
    return _figure(sides, value, (value - reach, value + reach), per_class)


def inception_score(sides: Sides, resamples: int) -> Figure:
    if sides.logits is None:
        raise ValueError("this network gives features only, no classes")
    value, deviation = score.inception_score(sides.logits)
    reach = intervals.NORMAL_95 * deviation / sqrt(score.SPLITS)
    return _figure(sides, value, (value - reach, value + reach))


def find_copies_of(sides: Sides) -> Copies:
    """Copies of training images, by features and, where there are any, by thumbnails. ValueError if what was trained on
    is not known."""
    real = sides.real
    if real.trained_on is None:
        raise ValueError("the images that were trained on are not known")
    ways = [(sides.generated, real.trained_on, real.unseen_distances)]
    if sides.thumbnails is not None and real.trained_on_thumbnails is not None:
        # noise that nobody sees changes features much, and thumbnails not at all
        ways.append((sides.thumbnails, real.trained_on_thumbnails, real.unseen_thumbnail_distances))
    return reduce(either, [copies_by_distance(*way, quantile=QUANTILE / len(ways)) for way in ways])


def copies(sides: Sides, resamples: int) -> Figure:
    found = find_copies_of(sides)
    low, high = intervals.of_mean(found.suspected)
    assert sides.real.trained_on is not None
    n_real, n_fake = len(sides.real.trained_on), len(sides.generated)
    return Figure(value=found.share, low=low, high=high, n_real=n_real, n_fake=n_fake, detail=found)


def label_accuracy(sides: Sides, resamples: int) -> Figure:
    if sides.labels is None:
        raise ValueError("there are no labels")
    found = sides.real.reader.judge(sides.generated, sides.labels)
    low, high = intervals.of_mean(found.correct)
    n_real, n_fake = len(sides.real.labelled[0]), len(sides.generated)
    value = float(found.correct.mean())
    return Figure(value=value, low=low, high=high, n_real=n_real, n_fake=n_fake, detail=found)


precision = _mean(lambda sides: sides.precision_recall[0])
recall = _mean(lambda sides: sides.precision_recall[1])
density = _mean(lambda sides: sides.density_coverage[0])
coverage = _mean(lambda sides: sides.density_coverage[1])
