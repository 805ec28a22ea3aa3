"""Attributes as the columns that a small network learns, and how well it reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...classifiers.judge import Targets
from ...classifiers.scores import balanced_accuracy
from ...labels.attribute import NUMBER, SEVERAL, Attribute, slices


@dataclass(frozen=True)
class Agreement:
    """value: balanced accuracy, of several values its mean over them; of a number the correlation. error: its mean
    absolute error, in its own units. NaN where it cannot be had."""

    value: float
    error: float = np.nan


def sizes_of(attributes: Sequence[Attribute]) -> tuple[int, ...]:
    """The number of choices in each column of `Targets.choices`; several values have a column of yes and no each."""
    sizes: list[int] = []
    for attribute in attributes:
        if attribute.kind == SEVERAL:
            sizes += [2] * len(attribute.values)
        elif attribute.kind != NUMBER:
            sizes.append(len(attribute.values))
    return tuple(sizes)


def targets_of(attributes: Sequence[Attribute], vectors: NDArray[np.float32]) -> Targets:
    """The targets of label vectors [n, c_dim]."""
    choices: list[NDArray[np.int64]] = []
    numbers: list[NDArray[np.float64]] = []
    for attribute, part in zip(attributes, slices(attributes), strict=True):
        rows = vectors[:, part]
        known, ones = attribute.known(rows), rows[:, : len(attribute.values)]
        if attribute.kind == NUMBER:
            numbers.append(np.where(known, attribute.numbers(rows), np.nan))
        elif attribute.kind == SEVERAL:
            choices += [np.where(known, column > 0, -1).astype(np.int64) for column in ones.T]
        else:
            choices.append(np.where(known, ones.argmax(axis=1), -1))
    return Targets(
        np.stack(choices, axis=1) if choices else np.zeros((len(vectors), 0), np.int64),
        np.stack(numbers, axis=1) if numbers else np.zeros((len(vectors), 0)),
    )


def agreements_of(attributes: Sequence[Attribute], found: Targets, truth: Targets) -> list[Agreement]:
    """One for each attribute. found, truth: what was read and what is so, of the same images."""
    choices = iter(zip(found.choices.T, truth.choices.T, strict=True))
    numbers = iter(zip(found.numbers.T, truth.numbers.T, strict=True))
    result = []
    for attribute in attributes:
        if attribute.kind == NUMBER:
            result.append(_of_number(*next(numbers)))
        else:
            columns = len(attribute.values) if attribute.kind == SEVERAL else 1
            result.append(Agreement(float(np.mean([_of_choice(*next(choices)) for _ in range(columns)]))))
    return result


def _of_choice(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    known = truth >= 0
    return balanced_accuracy(found[known], truth[known]) if known.any() else np.nan


def _of_number(found: NDArray[np.float64], truth: NDArray[np.float64]) -> Agreement:
    known = ~np.isnan(truth)
    found, truth = found[known], truth[known]
    if len(truth) < 2 or found.std() == 0 or truth.std() == 0:
        return Agreement(np.nan)
    return Agreement(float(np.corrcoef(found, truth)[0, 1]), float(np.abs(found - truth).mean()))
