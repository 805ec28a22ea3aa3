"""Whether generated images show the attributes that were asked for, by classifiers and ridges of real features."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...labels.attribute import NUMBER, SEVERAL, Attribute
from .label_classifier import FOLDS, LabelClassifier
from .neighbours import Features

PENALTIES = np.logspace(-2, 6, 9)  # of the ridge, of which it chooses by leaving one out

Slices = NDArray[np.float32]  # [n, width], an attribute's part of label vectors


@dataclass(frozen=True, kw_only=True)
class AttributeAgreement:
    """Of a category, yes/no: agreement is the share of generated images of which the classifier reads the value that
    was asked for, of several values the mean of these shares over values; chance is that of always naming the
    commonest. Of a number: the correlation of what was asked for with what a ridge reads, NaN where all were asked for
    one number; chance is 0; error is the mean absolute error in its own units, NaN of others.

    of_real, error_of_real: the same on real images that were not learned from. count: images that were judged.
    """

    name: str
    kind: str
    agreement: float
    of_real: float
    chance: float
    count: int
    error: float = np.nan
    error_of_real: float = np.nan

    @property
    def standard_error(self) -> float:
        """That of a share, or of a correlation near 0."""
        spread = 1.0 if self.kind == NUMBER else float(np.sqrt(self.agreement * (1 - self.agreement)))
        return spread / float(np.sqrt(self.count))


class AttributeReader:
    """Reads an attribute from features, having learned from real images where it is known.

    features [N, D], slices [N, width]: to learn from. unseen: real ones to test on; where there are none, parts of
    those to learn from are left out in turn. ValueError where it cannot be learned: fewer than two values of two
    images.
    """

    def __init__(
        self, attribute: Attribute, features: Features, slices: Slices, unseen: tuple[Features, Slices] | None = None
    ):
        known = attribute.known(slices)
        self._attribute, self._features, self._slices, self._unseen = attribute, features[known], slices[known], unseen
        self._read = _learned(attribute, self._features, self._slices)

    @property
    def name(self) -> str:
        """The attribute's."""
        return self._attribute.name

    def judge(self, generated: Features, slices: Slices) -> AttributeAgreement:
        """generated [M, D], asked for with slices [M, width]; those asked for without a value do not count."""
        known = self._attribute.known(slices)
        if not known.any():
            raise ValueError(f"no image with a known {self._attribute.name} was generated")
        truth = _truth(self._attribute, slices[known])
        agreement, error = _score(self._attribute, self._read(generated[known]), truth)
        of_real, error_of_real = self._of_real
        return AttributeAgreement(
            name=self._attribute.name,
            kind=self._attribute.kind,
            agreement=agreement,
            of_real=of_real,
            chance=_chance(self._attribute, truth),
            count=len(truth),
            error=error,
            error_of_real=error_of_real,
        )

    @cached_property
    def _of_real(self) -> tuple[float, float]:
        if self._unseen is not None:
            features, slices = self._unseen
            known = self._attribute.known(slices)
            if known.any():
                return _score(self._attribute, self._read(features[known]), _truth(self._attribute, slices[known]))
        truth = _truth(self._attribute, self._slices)
        folds = np.random.default_rng(0).permutation(len(truth)) % FOLDS
        read = np.zeros_like(truth)
        for fold in range(FOLDS):
            left = folds == fold
            try:
                learned = _learned(self._attribute, self._features[~left], self._slices[~left])
            except ValueError:
                return np.nan, np.nan
            read[left] = learned(self._features[left])
        return _score(self._attribute, read, truth)


def _learned(attribute: Attribute, features: Features, slices: Slices) -> Callable[[Features], NDArray[Any]]:
    """A function from features to what `_truth` gives."""
    truth = _truth(attribute, slices)
    if attribute.kind == NUMBER:
        return _ridge(features, truth)
    if attribute.kind == SEVERAL:
        each = [_classifier(features, column) for column in truth.T]
        return lambda rows: np.stack([read(rows) for read in each], axis=1)
    counts = np.bincount(truth)
    often = counts[truth] > 1  # a value of one image teaches nothing
    return LabelClassifier(features[often], truth[often]).predict


def _classifier(features: Features, truth: NDArray[np.int64]) -> Callable[[Features], NDArray[np.int64]]:
    """Of yes or no; the commonest where one of them has too few images."""
    try:
        return LabelClassifier(features, truth).predict
    except ValueError:
        commonest = int(np.bincount(truth).argmax())
        return lambda rows: np.full(len(rows), commonest)


def _ridge(features: Features, truth: NDArray[np.float64]) -> Callable[[Features], NDArray[np.float64]]:
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(truth) < FOLDS or truth.std() == 0:
        raise ValueError("a ridge needs several numbers to learn from")
    model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(features.astype(np.float64), truth)
    return lambda rows: np.asarray(model.predict(rows.astype(np.float64)), np.float64)


def _truth(attribute: Attribute, slices: Slices) -> NDArray[Any]:
    """Of a number float64 [n], in its own units; of several values int64 [n, K], 0 or 1; else int64 [n], its index."""
    if attribute.kind == NUMBER:
        return attribute.numbers(slices)
    ones = slices[:, : len(attribute.values)]
    return (ones > 0).astype(np.int64) if attribute.kind == SEVERAL else ones.argmax(axis=1)


def _score(attribute: Attribute, read: NDArray[Any], truth: NDArray[Any]) -> tuple[float, float]:
    """The agreement, and a number's mean absolute error."""
    if attribute.kind != NUMBER:
        return float((read == truth).mean()), np.nan
    varied = len(truth) > 1 and truth.std() > 0 and read.std() > 0
    correlation = float(np.corrcoef(read, truth)[0, 1]) if varied else np.nan
    return correlation, float(np.abs(read - truth).mean())


def _chance(attribute: Attribute, truth: NDArray[Any]) -> float:
    if attribute.kind == NUMBER:
        return 0.0
    if attribute.kind == SEVERAL:
        return float(np.maximum(truth.mean(axis=0), 1 - truth.mean(axis=0)).mean())
    return float(np.bincount(truth).max() / len(truth))
