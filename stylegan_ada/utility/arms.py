"""The training sets that are compared."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError, nearest

KINDS = ("real", "classic", "synthetic", "filtered", "combined", "alone")
RATIOS = (0.5, 1.0, 2.0, 5.0)
LARGEST_RATIO = 1000


@dataclass(frozen=True)
class Arm:
    """A training set: real images or none, with classic augmentation or without, and `ratio` synthetic images for each
    real one, those that the filters reject left out if `filtered`."""

    real: bool = True
    classic: bool = False
    ratio: float = 0.0
    filtered: bool = False

    @property
    def name(self) -> str:
        synthetic = f"{self.ratio:g} synthetic" + (", filtered" if self.filtered else "") if self.ratio else ""
        return " + ".join(filter(None, ["real" * self.real, "classic" * self.classic, synthetic]))

    @property
    def curve(self) -> str:
        """The name of its line over fractions: the best ratio may be another at each."""
        if self.synthetic and (self.classic or not self.real):
            return ("real + classic + " if self.real else "") + "synthetic, best ratio"
        return self.name

    @property
    def synthetic(self) -> bool:
        return self.ratio > 0


def first_arms(kinds: Sequence[str], ratios: Sequence[float]) -> list[Arm]:
    """The arms that are known beforehand. "combined" and "alone" follow from their results: `best_arms`.

    Arms without synthetic images are what the others are compared with, so one of them is always there. UserError for
    an unknown kind, or a ratio that is not above 0 and at most 1000.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise UserError(f"`arms` {kind}: no such arm, {nearest(kind, KINDS)}")
    if not ratios or not all(0 < ratio <= LARGEST_RATIO for ratio in ratios):
        raise UserError(
            f"`ratios` {','.join(f'{ratio:g}' for ratio in ratios)}: give numbers above 0, up to {LARGEST_RATIO}"
        )
    if set(kinds) <= {"real", "classic"}:
        raise UserError(f"`arms` {','.join(kinds)}: none has synthetic images, so there is nothing to judge")
    if {"combined", "alone"} & set(kinds) and not {"synthetic", "filtered"} & set(kinds):
        raise UserError("`arms` combined, alone: they take the best ratio of synthetic or filtered, give one of these")
    arms = [Arm()]
    if {"classic", "combined"} & set(kinds):
        arms.append(Arm(classic=True))
    for kind, filtered in (("synthetic", False), ("filtered", True)):
        if kind in kinds:
            arms += [Arm(ratio=ratio, filtered=filtered) for ratio in ratios]
    return arms


def best_arms(kinds: Sequence[str], validation: dict[Arm, float]) -> list[Arm]:
    """The arms at the best ratio, that of the highest score on validation images. validation: by arm."""
    best = max((arm for arm in validation if arm.synthetic), key=lambda arm: validation[arm])
    arms = []
    if "combined" in kinds:
        arms.append(Arm(classic=True, ratio=best.ratio, filtered=best.filtered))
    if "alone" in kinds:
        arms.append(Arm(real=False, ratio=best.ratio, filtered=best.filtered))
    return arms


def synthetic_counts(real: NDArray[np.int64], ratio: float, balance: bool) -> NDArray[np.int64]:
    """[C]: how many synthetic images of each class, `ratio` times as many as real ones in all.

    real: [C], its images by class. In their shares; or, with `balance`, to the smallest classes first, so that they
    become as large as each other.
    """
    total = round(ratio * int(real.sum()))
    if balance:
        return _filled(real, total)
    bounds = np.round(np.cumsum(real) * total / max(int(real.sum()), 1)).astype(np.int64)
    return np.diff(bounds, prepend=0)


def _filled(real: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Classes with real images are raised to one level; what is left over goes to the smallest."""
    present = np.flatnonzero(real)
    levels = np.sort(real[present])
    sums = np.arange(1, len(levels) + 1) * levels - np.cumsum(levels)  # needed to raise all before to each level
    raised = int((sums <= total).sum())  # so many of the smallest are raised
    level, rest = divmod(total + int(levels[:raised].sum()), raised)
    counts = np.zeros_like(real)
    order = present[np.argsort(real[present], kind="stable")][:raised]
    counts[order] = level - real[order]
    counts[order[:rest]] += 1
    return counts
