"""An evaluation as one row of numbers, as a run's folder keeps them."""

import math

from .intervals import NORMAL_95
from .labels import LabelFidelity
from .memorisation import Copies
from .results import MetricResult


def as_row(results: dict[str, MetricResult]) -> dict[str, float]:
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
    return {}
