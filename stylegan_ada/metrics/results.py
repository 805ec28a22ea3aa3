"""The metrics of an evaluation, a pure function each of the features of real and of generated images.

resamples: for the intervals of FIDs; 0 for none. A function raises ValueError, with the reason, where it cannot be had.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..labels.attribute import NUMBER, SEVERAL, Attribute, slices
from .feature_sets import FeatureSets
from .mathematics import distances, intervals
from .mathematics.attribute_agreement import AttributeAgreement
from .mathematics.intervals import NORMAL_95
from .mathematics.label_classifier import LabelFidelity
from .mathematics.memorisation import QUANTILE, Copies, copies_by_distance, either
from .mathematics.neighbours import Features

if TYPE_CHECKING:
    from ..classifiers.judge import Judge
    from .judges import LabelledPictures, RealPictures


@dataclass(frozen=True, kw_only=True)
class RealOnReal:
    """What a network that learned from real images says of real ones, beside which GAN-test and GAN-train stand.

    accuracy: on images that it had not seen. unseen: which these are; tested: what this result itself is tested on.
    attributes: where labels are attributes, each by itself, of which accuracy and chance are the means.
    """

    accuracy: float
    chance: float
    unseen: str
    tested: str
    attributes: tuple[AttributeAgreement, ...] = ()


Detail = dict[str, float] | Copies | LabelFidelity | RealOnReal | tuple[AttributeAgreement, ...]
NO_INTERVAL = (math.nan, math.nan)


@dataclass(frozen=True, eq=False, kw_only=True)
class MetricResult:
    """value; low, high: its 95% interval, NaN where there is none; n_real, n_fake: real and generated images.

    detail: FID by class name for intra_fid; what lies behind copies, label_accuracy, label_agreement, gan_test and
    gan_train; else None.
    """

    value: float
    low: float
    high: float
    n_real: int
    n_fake: int
    detail: Detail | None = None


def _result(
    features: FeatureSets, value: float, interval: tuple[float, float], detail: Detail | None = None
) -> MetricResult:
    low, high = interval
    n_real, n_fake = len(features.real.reference), len(features.generated)
    return MetricResult(value=value, low=low, high=high, n_real=n_real, n_fake=n_fake, detail=detail)


def fid(features: FeatureSets, resamples: int) -> MetricResult:
    value = distances.fid(features.real.reference, features.generated)
    return _result(features, value, _fid_interval(value, features.real.reference, features.generated, resamples))


def _fid_interval(value: float, real: Features, generated: Features, resamples: int) -> tuple[float, float]:
    def resampled(i: NDArray[np.int64], j: NDArray[np.int64]) -> float:
        return distances.fid(real[i], generated[j])

    return intervals.of_statistic(value, resampled, len(real), len(generated), resamples)


def kid(features: FeatureSets, resamples: int) -> MetricResult:
    value, error = distances.kid_with_error(features.real.reference, features.generated)
    reach = intervals.NORMAL_95 * error
    return _result(features, value, (value - reach, value + reach))


def _mean(values: Callable[[FeatureSets], NDArray[np.generic]]) -> Callable[[FeatureSets, int], MetricResult]:
    """A metric that is the mean of a number per image."""

    def metric(features: FeatureSets, resamples: int) -> MetricResult:
        numbers = values(features)
        return _result(features, float(numbers.mean()), intervals.of_mean(numbers))

    return metric


def intra_fid(features: FeatureSets, resamples: int) -> MetricResult:
    if features.real.reference_labels is None or features.labels is None:
        raise ValueError("there are no labels")
    pairs = {name: features.of_class(label) for label, name in enumerate(features.real.classes)}
    pairs = {name: (real, generated) for name, (real, generated) in pairs.items() if len(real) > 1}
    if not pairs or min(len(generated) for _, generated in pairs.values()) < 2:
        raise ValueError("some class has fewer than 2 images: generate more")
    per_class = {name: distances.fid(real, generated) for name, (real, generated) in pairs.items()}
    bounds = [_fid_interval(per_class[name], real, generated, resamples) for name, (real, generated) in pairs.items()]
    value = float(np.mean(list(per_class.values())))
    reach = sqrt(sum(((high - low) / 2) ** 2 for low, high in bounds)) / len(pairs)
    return _result(features, value, (value - reach, value + reach), per_class)


def inception_score(features: FeatureSets, resamples: int) -> MetricResult:
    if features.logits is None:
        raise ValueError("this network gives features only, no classes")
    value, deviation = distances.inception_score(features.logits)
    reach = intervals.NORMAL_95 * deviation / sqrt(distances.SPLITS)
    return _result(features, value, (value - reach, value + reach))


def find_copies_of(features: FeatureSets) -> Copies:
    """Copies of training images, by features and, where there are any, by thumbnails. ValueError if what was trained on
    is not known."""
    real = features.real
    if real.trained_on is None:
        raise ValueError("the images that were trained on are not known")
    ways = [(features.generated, real.trained_on, real.unseen_distances)]
    if features.thumbnails is not None and real.trained_on_thumbnails is not None:
        # noise that nobody sees changes features much, and thumbnails not at all
        ways.append((features.thumbnails, real.trained_on_thumbnails, real.unseen_thumbnail_distances))
    return reduce(either, [copies_by_distance(*way, quantile=QUANTILE / len(ways)) for way in ways])


def copies(features: FeatureSets, resamples: int) -> MetricResult:
    found = find_copies_of(features)
    low, high = intervals.of_mean(found.suspected)
    assert features.real.trained_on is not None
    n_real, n_fake = len(features.real.trained_on), len(features.generated)
    return MetricResult(value=found.share, low=low, high=high, n_real=n_real, n_fake=n_fake, detail=found)


def label_accuracy(features: FeatureSets, resamples: int) -> MetricResult:
    if features.labels is None:
        raise ValueError("there are no labels")
    found = features.real.classifier.judge(features.generated, features.labels)
    low, high = intervals.of_mean(found.correct)
    n_real, n_fake = len(features.real.labelled[0]), len(features.generated)
    value = float(found.correct.mean())
    return MetricResult(value=value, low=low, high=high, n_real=n_real, n_fake=n_fake, detail=found)


def label_agreement(features: FeatureSets, resamples: int) -> MetricResult:
    if features.vectors is None:
        raise ValueError("labels are classes, no attributes")
    parts = dict(zip([one.name for one in features.real.attributes], slices(features.real.attributes), strict=True))
    found = []
    for reader in features.real.readers:
        with suppress(ValueError):
            found.append(reader.judge(features.generated, features.vectors[:, parts[reader.name]]))
    if not found:
        raise ValueError("no attribute has two values of two images each")
    value = float(np.nanmean([one.agreement for one in found]))
    return _result(features, value, NO_INTERVAL, tuple(found))


def gan_test(features: FeatureSets, resamples: int) -> MetricResult:
    made, real = _pictures(features)
    return _judged(features, features.real.real_judge.judge, made, f"{len(made.labels)} generated images", real)


def gan_train(features: FeatureSets, resamples: int) -> MetricResult:
    made, real = _pictures(features)
    tested, name = (
        (real.training, "real images, none held out") if real.held_out is None else (real.held_out, "held-out images")
    )
    return _judged(features, real.judge_of(made), tested, f"{len(tested.labels)} {name}", real)


def _pictures(features: FeatureSets) -> "tuple[LabelledPictures, RealPictures]":
    from .judges import LabelledPictures

    if features.labels is None:
        raise ValueError("there are no labels")
    if features.pictures is None or features.real.pictures is None:
        raise ValueError("the images were not kept")
    made = LabelledPictures(images=features.pictures, labels=features.labels, vectors=features.vectors)
    return made, features.real.pictures


def _judged(
    features: FeatureSets, judge: "Judge", pictures: "LabelledPictures", tested: str, real: "RealPictures"
) -> MetricResult:
    from .judges import agreements, right

    real_judge = features.real.real_judge
    unseen = real_judge.unseen
    if not real.attributes:
        correct, of_real = right(judge, pictures), float(right(real_judge.judge, real_judge.test).mean())
        detail = RealOnReal(accuracy=of_real, chance=1 / real.classes, unseen=unseen, tested=tested)
        return _result(features, float(correct.mean()), intervals.of_mean(correct), detail)
    pairs = zip(agreements(real, judge, pictures), agreements(real, real_judge.judge, real_judge.test), strict=True)
    found = tuple(
        AttributeAgreement(
            name=attribute.name,
            kind=attribute.kind,
            agreement=own.value,
            of_real=of_real.value,
            chance=_balanced_chance(attribute),
            count=len(pictures.labels),
            error=own.error,
            error_of_real=of_real.error,
        )
        for attribute, (own, of_real) in zip(real.attributes, pairs, strict=True)
    )
    accuracy, chance = (
        float(np.nanmean(values)) for values in zip(*((a.of_real, a.chance) for a in found), strict=True)
    )
    detail = RealOnReal(accuracy=accuracy, chance=chance, unseen=unseen, tested=tested, attributes=found)
    return _result(features, float(np.nanmean([one.agreement for one in found])), NO_INTERVAL, detail)


def _balanced_chance(attribute: Attribute) -> float:
    if attribute.kind == NUMBER:
        return 0.0
    return 0.5 if attribute.kind == SEVERAL else 1 / len(attribute.values)


precision = _mean(lambda features: features.precision_recall[0])
recall = _mean(lambda features: features.precision_recall[1])
density = _mean(lambda features: features.density_coverage[0])
coverage = _mean(lambda features: features.density_coverage[1])


def values_by_name(results: dict[str, MetricResult]) -> dict[str, float]:
    """Every metric's value by name, its standard error as {name}_error where it has an interval, and its details."""
    row: dict[str, float] = {}
    for name, result in results.items():
        row[name] = result.value
        if not math.isnan(result.high):
            row[f"{name}_error"] = (result.high - result.low) / (2 * NORMAL_95)
        row |= _details(result)
    return row


def _details(result: MetricResult) -> dict[str, float]:
    match result.detail:
        case Copies() as copies:
            return {"copies_control": copies.control_share, "copies_excess": copies.excess}
        case LabelFidelity() as fidelity:
            return {"label_chance": fidelity.chance}
        case tuple() as agreements:
            row = {f"label_agreement {one.name}": one.agreement for one in agreements}
            row |= {f"label_chance {one.name}": one.chance for one in agreements}
            return row | {f"label_error {one.name}": one.standard_error for one in agreements}
    return {}
