"""Comparing a run's measurements: which is better, which is the best, how many in a row brought nothing."""

from collections.abc import Sequence
from typing import Any

# kimg, count, label_weight where labels are blended in, then metrics by name; {name}_error is a metric's standard error
EvaluationRow = dict[str, Any]


def improved(row: EvaluationRow, best: EvaluationRow | None) -> bool:
    """Whether a measurement is better than the best one before by more than its own standard error, or the first one
    at which labels count more."""
    if best is None or label_weight_of(row) > label_weight_of(best):
        return True
    return bool(row["kid"] < best["kid"] - row["kid_error"])


def best_of(rows: Sequence[EvaluationRow]) -> EvaluationRow | None:
    """The measurement of the lowest KID, None of none, among those at which labels count most: without labels images
    become better sooner, but are not what was asked for."""
    return min(rows, key=lambda row: (-label_weight_of(row), row["kid"]), default=None)


def label_weight_of(row: EvaluationRow) -> float:
    """How much labels counted at a measurement, from 0 to 1."""
    return float(row.get("label_weight", 1.0))


def without_improvement(rows: Sequence[EvaluationRow]) -> int:
    """The number of last measurements in a row without an improvement beyond their standard error."""
    count = 0
    for index, row in enumerate(rows):
        count = 0 if improved(row, best_of(rows[:index])) else count + 1
    return count
