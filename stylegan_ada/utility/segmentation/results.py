"""A row for each arm, and the verdict in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arms import Arm
from ..comparison import Difference, corrected
from ..verdict import GAIN, HARM, NO_GAIN, SIGNIFICANT, points
from .overlap import Overlap, difference, mean_dice
from .trials import ArmTrials


@dataclass(frozen=True, eq=False, kw_only=True)
class ArmResult:
    """overlaps: by seed. real, synthetic: pairs that it learned from. seconds: of one training, the mean. gain: in Dice
    over `baseline`, None for arms without synthetic pairs."""

    arm: Arm
    overlaps: Sequence[Overlap]
    real: int
    synthetic: int
    seconds: float
    baseline: str
    gain: Difference | None

    @property
    def dice(self) -> NDArray[np.float64]:
        """[K], the mean over seeds; NaN for a kind that is marked by nobody."""
        return _mean_over_seeds([one.dice for one in self.overlaps])

    @property
    def iou(self) -> NDArray[np.float64]:
        """[K], the mean over seeds; NaN for a kind that is marked by nobody."""
        return _mean_over_seeds([one.iou for one in self.overlaps])

    def record(self, kinds: Sequence[str]) -> dict[str, Any]:
        """For JSON; null where a kind is marked by nobody."""

        def by_kind(values: NDArray[np.float64]) -> dict[str, float | None]:
            return {kind: None if np.isnan(one) else float(one) for kind, one in zip(kinds, values, strict=True)}

        gain = None if self.gain is None else {**vars(self.gain), "over": self.baseline}
        return {
            "arm": self.arm.name,
            "real": self.real,
            "synthetic": self.synthetic,
            "dice": mean_dice(self.overlaps),
            "dice_by_kind": by_kind(self.dice),
            "iou_by_kind": by_kind(self.iou),
            "dice_by_seed": [float(np.nanmean(one.dice)) for one in self.overlaps],
            "gain": gain,
            "seconds": self.seconds,
        }


def results_of(found: Sequence[ArmTrials], true: NDArray[np.bool_], units: NDArray[np.int64]) -> list[ArmResult]:
    """The baseline is the arm without synthetic pairs that is best on the test images. units: what they belong to."""
    overlaps = {one.arm: one.overlaps(true) for one in found}
    base = max((arm for arm in overlaps if not arm.synthetic), key=lambda arm: mean_dice(overlaps[arm]))
    compared = [arm for arm in overlaps if arm.synthetic]
    gains = dict(
        zip(compared, corrected([difference(overlaps[arm], overlaps[base], units) for arm in compared]), strict=True)
    )
    return [
        ArmResult(
            arm=one.arm,
            overlaps=overlaps[one.arm],
            real=round(np.mean([trial.real for trial in one.trials])),
            synthetic=round(np.mean([trial.synthetic for trial in one.trials])),
            seconds=float(np.mean([trial.seconds for trial in one.trials])),
            baseline=base.name,
            gain=gains.get(one.arm),
        )
        for one in found
    ]


def best_with_synthetic(results: Sequence[ArmResult]) -> ArmResult:
    """The arm with synthetic pairs whose gain is the largest; of those with a gain beyond chance, if there are any."""
    arms = [result for result in results if result.gain is not None]
    sure = [result for result in arms if _is_sure(result) and _gain(result).value > 0]
    return max(sure or arms, key=lambda result: _gain(result).value)


def verdict(results: Sequence[ArmResult]) -> tuple[str, str]:
    """(kind, sentence): a gain or harm beyond chance, as `utility.verdict` has it, or neither."""
    best = best_with_synthetic(results)
    gain, arms = _gain(best), sum(result.gain is not None for result in results)
    number, interval = points(gain).split(" ", 1)
    change = f"changes Dice by {number} points {interval} against {best.baseline}"
    p = f"p = {gain.p_corrected:.2g}, corrected for {arms} comparisons"
    if _is_sure(best) and gain.value > 0:
        return GAIN, f"Synthetic pairs helped: {best.arm.name} {change} ({p})"
    if _is_sure(best):
        return HARM, f"They did harm: the best arm with synthetic pairs, {best.arm.name}, {change} ({p})"
    return NO_GAIN, f"No gain shown: the best arm with them, {best.arm.name}, {change}, which may be chance ({p})"


def _mean_over_seeds(values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    rows = np.stack(values)
    known = (~np.isnan(rows)).sum(axis=0)
    return np.divide(np.nansum(rows, axis=0), known, out=np.full(rows.shape[1], np.nan), where=known > 0)


def _gain(result: ArmResult) -> Difference:
    assert result.gain is not None
    return result.gain


def _is_sure(result: ArmResult) -> bool:
    return _gain(result).p_corrected < SIGNIFICANT
