"""The verdict of an experiment, in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from .comparison import Difference
from .results import ArmResult

SIGNIFICANT = 0.05

GAIN, NO_GAIN, HARM = "gain", "no gain shown", "harm"


@dataclass(frozen=True, kw_only=True)
class UtilityVerdict:
    """kind: "gain", "no gain shown" or "harm". best: the arm with synthetic images that the sentence is about."""

    kind: str
    sentence: str
    best: ArmResult


def verdict_of(results: Sequence[ArmResult]) -> UtilityVerdict:
    """The verdict on the largest fraction of real images, by the classifier that does best without synthetic ones.

    A gain needs one arm whose difference to the best arm without synthetic images is above 0 beyond chance (p below
    0.05, corrected for the number of arms); harm, that even the best arm with them lies below it beyond chance.
    """
    largest = max(result.fraction for result in results)
    whole = [result for result in results if result.fraction == largest]
    real_only = [result for result in whole if result.gain is None]
    classifier = max(real_only, key=lambda result: result.mean("balanced_accuracy")).classifier
    return verdict_by(whole, classifier)


def verdict_by(results: Sequence[ArmResult], classifier: str) -> UtilityVerdict:
    """The same by a given classifier, of the results of one fraction."""
    arms = [result for result in results if result.classifier == classifier and result.gain is not None]
    gains = [result for result in arms if _sure(result) > 0]
    best = max(gains or arms, key=_value)
    if gains:
        sentence = f"Synthetic images raised balanced accuracy by {_points(best)} over the best real-only arm"
        return UtilityVerdict(kind=GAIN, sentence=f"{sentence}: {best.arm.name} over {best.baseline}", best=best)
    change = (
        f"the best arm with synthetic images, {best.arm.name}, changes balanced accuracy by {_points(best)} against "
        f"the best real-only arm, {best.baseline}"
    )
    if _sure(best) < 0:
        return UtilityVerdict(kind=HARM, sentence=f"They did harm: {change}", best=best)
    p = f"p = {_gain(best).p_corrected:.2g}, corrected for {len(arms)} comparisons"
    sentence = f"No gain shown: {change}, which may be chance ({p})"
    worse = [result.arm.name for result in arms if _sure(result) < 0]
    if worse:
        sentence += f". These are worse beyond chance: {'; '.join(worse)}"
    return UtilityVerdict(kind=NO_GAIN, sentence=sentence, best=best)


def points(gain: Difference) -> str:
    """ "2.1 (0.4 to 3.9)", in hundredths of balanced accuracy, with the 95% interval."""
    return f"{100 * gain.value:.1f} ({100 * gain.low:.1f} to {100 * gain.high:.1f})"


def _points(result: ArmResult) -> str:
    number, interval = points(_gain(result)).split(" ", 1)
    return f"{number} points {interval}"


def _gain(result: ArmResult) -> Difference:
    assert result.gain is not None
    return result.gain


def _value(result: ArmResult) -> float:
    return _gain(result).value


def _sure(result: ArmResult) -> float:
    """The gain, or 0 where chance may give it."""
    return _value(result) if _gain(result).p_corrected < SIGNIFICANT else 0.0
