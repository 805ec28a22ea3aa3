"""The findings of a run's measurements, in words: pure functions of the rows that they leave."""

import math
from collections.abc import Sequence

from ..measurements import EvaluationRow, best_of, improved, label_weight_of, without_improvement

MANY_ERRORS = 3.0  # how many standard errors a difference must be to be called one
USUAL_TARGET = 0.6  # of r_t; where p is at its cap, the controller could not hold it
FLAT_AFTER = 3  # measurements
# before an attribute's name, among a row's keys
AGREEMENT, CHANCE, ERROR = "label_agreement ", "label_chance ", "label_error "


def findings(rows: Sequence[EvaluationRow], ada_cap: float | None) -> list[str]:
    """A line each on what the last of the measurements `rows` shows, the most general first.

    ada_cap: the highest p that the controller may set, None where p is fixed or nothing is augmented.
    """
    lines = [_progress(rows)]
    lines += [line for line in (_overfitting(rows[-1], ada_cap), _copying(rows[-1]), _collapse(rows)) if line]
    attributes = [name.removeprefix(AGREEMENT) for name in rows[-1] if name.startswith(AGREEMENT)]
    found = [_attribute(rows[-1], name) for name in attributes] or [_labels(rows[-1])]
    return lines + [line for line in found if line]


def _progress(rows: Sequence[EvaluationRow]) -> str:
    row, best = rows[-1], best_of(rows[:-1])
    if best is None:
        return "first measurement: later ones are compared with it"
    change = f"1000 x KID {1000 * row['kid']:.1f} after {1000 * best['kid']:.1f} at {best['kimg']:g} kimg"
    if label_weight_of(row) > label_weight_of(best):
        return f"labels count {label_weight_of(row):.0%} now: {change}"
    if improved(row, best):
        return f"improving: {change}"
    if row["kid"] > best["kid"] + MANY_ERRORS * row["kid_error"]:
        return f"worse than the best: {change}"
    stale = without_improvement(rows)
    if stale >= FLAT_AFTER:
        return f"flat: nothing better in {stale} measurements ({change})"
    return f"within its error of the best: {change}"


def _overfitting(row: EvaluationRow, ada_cap: float | None) -> str | None:
    if "r_t" not in row:  # the log was lost
        return None
    at_cap = ada_cap is not None and bool(row["p"] >= 0.99 * ada_cap)
    sure = row["r_v"] > 0.5 if "r_v" in row else row["r_t"] > USUAL_TARGET
    if at_cap and sure:
        return "overfitting: the discriminator knows the training images though p is at its cap; more images would help"
    if ada_cap is None and row["r_t"] > 0.8:
        return "overfitting: the discriminator is sure of nearly all training images, and nothing adapts p"
    return None


def _copying(row: EvaluationRow) -> str | None:
    if row.get("copies_excess", 0.0) <= MANY_ERRORS:
        return None
    return (
        f"copying: {row['copies']:.0%} of the generated images are nearer to a training image than unseen real ones; "
        f"{row['copies_control']:.0%} would be by chance"
    )


def _collapse(rows: Sequence[EvaluationRow]) -> str | None:
    for name in ("recall", "coverage"):
        if name not in rows[-1]:
            continue
        highest = max(rows, key=lambda row: row[name])
        errors = (rows[-1][f"{name}_error"] ** 2 + highest[f"{name}_error"] ** 2) ** 0.5
        fall = highest[name] - rows[-1][name]
        if fall > MANY_ERRORS * errors and rows[-1][name] < 0.7 * highest[name]:
            change = f"from {highest[name]:.2f} at {highest['kimg']:g} kimg to {rows[-1][name]:.2f}"
            return f"collapsing: {name} fell {change}: the images become more alike"
    return None


def _attribute(row: EvaluationRow, name: str) -> str | None:
    agreement, chance = row[AGREEMENT + name], row[CHANCE + name]
    if label_weight_of(row) < 1 or math.isnan(agreement) or agreement > chance + MANY_ERRORS * row[ERROR + name]:
        return None
    return f"{name} ignored: generated images agree with it to {agreement:.2f}, where {chance:.2f} would be by chance"


def _labels(row: EvaluationRow) -> str | None:
    if "label_accuracy" not in row or label_weight_of(row) < 1:
        return None
    if row["label_accuracy"] > row["label_chance"] + MANY_ERRORS * row["label_accuracy_error"]:
        return None
    return (
        f"labels ignored: {row['label_accuracy']:.0%} of the generated images show what their label says, where always "
        f"showing the commonest gives {row['label_chance']:.0%}"
    )
