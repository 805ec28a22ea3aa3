"""Making a row per arm from predictions, with its difference to the best arm without synthetic images."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..classifiers.scores import Scores, scores_of
from .arms import Arm
from .comparison import Difference, corrected, difference
from .experiment import ArmTrials
from .real import LabelledImages

MEASURES = ("balanced_accuracy", "accuracy", "macro_f1", "auroc", "calibration_error")


@dataclass(frozen=True, eq=False, kw_only=True)
class ArmResult:
    """An arm of a classifier at a fraction of the real images. scores: of each seed. predicted: int64 [seeds, n], by
    test image. real, synthetic: images that it learned from. seconds: of one training, the mean. gain: over `baseline`,
    None for arms without synthetic images. generator_saw: how many real images the generator was trained on, where that
    is more than this arm was given, None otherwise.
    """

    classifier: str
    fraction: float
    arm: Arm
    scores: tuple[Scores, ...]
    predicted: NDArray[np.int64]
    real: int
    synthetic: int
    seconds: float
    baseline: str
    gain: Difference | None
    generator_saw: int | None

    def mean(self, measure: str) -> float:
        return float(np.mean([getattr(scores, measure) for scores in self.scores]))

    @property
    def recall(self) -> NDArray[np.float64]:
        """[C], NaN for a class without test images."""
        return np.mean([scores.recall for scores in self.scores], axis=0)

    @property
    def confusion(self) -> NDArray[np.float64]:
        """[C, C], true classes by row, the mean over seeds."""
        return np.mean([scores.confusion for scores in self.scores], axis=0)


def results_of(found: Sequence[ArmTrials], test: LabelledImages, generator_saw: int) -> list[ArmResult]:
    """Results in the order of `found`. Arms are compared, and that corrected for, within a classifier and a fraction.

    The baseline is the arm without synthetic images that is best on the test images: where two are alike, that favours
    them, and not the synthetic ones. generator_saw: how many images the generator was trained on.
    """
    results = []
    for family in dict.fromkeys((one.classifier, one.fraction) for one in found):
        results += _family([one for one in found if (one.classifier, one.fraction) == family], test, generator_saw)
    return results


def _family(found: Sequence[ArmTrials], test: LabelledImages, generator_saw: int) -> list[ArmResult]:
    scores = [tuple(scores_of(trial.probabilities, test.labels) for trial in one.trials) for one in found]
    predicted = [np.stack([trial.probabilities.argmax(axis=1) for trial in one.trials]) for one in found]
    real_only = [index for index, one in enumerate(found) if not one.arm.synthetic]
    base = max(real_only, key=lambda index: np.mean([one.balanced_accuracy for one in scores[index]]))
    with_synthetic = [index for index, one in enumerate(found) if one.arm.synthetic]
    right = [rows == test.labels for rows in predicted]
    gains = corrected([difference(right[index], right[base], test.labels, test.units) for index in with_synthetic])
    given = max(trial.given for one in found for trial in one.trials)
    results = []
    for index, one in enumerate(found):
        results.append(
            ArmResult(
                classifier=one.classifier,
                fraction=one.fraction,
                arm=one.arm,
                scores=scores[index],
                predicted=predicted[index],
                real=round(np.mean([trial.real for trial in one.trials])),
                synthetic=round(np.mean([trial.synthetic for trial in one.trials])),
                seconds=float(np.mean([trial.seconds for trial in one.trials])),
                baseline=found[base].arm.name,
                gain=gains[with_synthetic.index(index)] if one.arm.synthetic else None,
                generator_saw=generator_saw if one.arm.synthetic and generator_saw > given else None,
            )
        )
    return results


def arm_record(result: ArmResult, classes: Sequence[str]) -> dict[str, Any]:
    """The record for results.json: shares from 0 to 1, null for what cannot be known."""
    recall = {name: _plain(value) for name, value in zip(classes, result.recall.tolist(), strict=True)}
    by_seed = {name: [_plain(getattr(scores, name)) for scores in result.scores] for name in MEASURES}
    return {
        "classifier": result.classifier,
        "fraction": result.fraction,
        "arm": result.arm.name,
        "real_images": result.real,
        "synthetic_images": result.synthetic,
        "seconds": round(result.seconds, 2),
        **{name: _plain(result.mean(name)) for name in MEASURES},
        "by_seed": by_seed,
        "recall": recall,
        "confusion": result.confusion.tolist(),
        "baseline": result.baseline,
        "gain": None if result.gain is None else asdict(result.gain),
        "generator_saw": result.generator_saw,
    }


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
