import dataclasses
from typing import Any

import numpy as np
import pytest

from stylegan_ada.utility.arms import Arm
from stylegan_ada.utility.experiment import ArmTrials, Trial
from stylegan_ada.utility.results import results_of
from stylegan_ada.utility.verdict import verdict_by, verdict_of

LABELS = np.repeat([0, 1], 100)


@dataclasses.dataclass
class Unseen:
    labels: np.ndarray = dataclasses.field(default_factory=lambda: LABELS)
    units: np.ndarray = dataclasses.field(default_factory=lambda: np.arange(200))


def trials(arm: Arm, share: float, classifier: str = "linear", fraction: float = 1.0, seed: int = 0) -> ArmTrials:
    """Five seeds that are right about a share of the test images, much the same ones for every arm."""
    found = []
    for number in range(5):
        rng = np.random.default_rng([seed, number])
        right = rng.random(200) < share
        one_hot = np.eye(2, dtype=np.float32)[np.where(right, LABELS, 1 - LABELS)]
        found.append(Trial(probabilities=one_hot, validation=share, real=80, synthetic=8, given=100, seconds=1.0))
    return ArmTrials(classifier=classifier, fraction=fraction, arm=arm, trials=found)


REAL, CLASSIC, ONE, FIVE = Arm(), Arm(classic=True), Arm(ratio=1), Arm(ratio=5)


def verdict(*arms: tuple[Arm, float], saw: int = 100) -> Any:
    return verdict_of(results_of([trials(arm, share) for arm, share in arms], Unseen(), saw))


def test_a_gain() -> None:
    found = verdict((REAL, 0.6), (CLASSIC, 0.7), (ONE, 0.9), (FIVE, 0.5))
    assert found.kind == "gain"
    assert found.sentence.startswith("Synthetic images raised balanced accuracy by 19")
    assert found.sentence.endswith("over the best real-only arm: real + 1 synthetic over real + classic")


def test_what_beats_real_images_but_not_classic_augmentation_is_no_gain() -> None:
    found = verdict((REAL, 0.6), (CLASSIC, 0.9), (ONE, 0.9), (FIVE, 0.5))
    assert found.kind == "no gain shown"
    assert found.sentence.startswith("No gain shown: the best arm with synthetic images, real + 1 synthetic, changes")
    assert "against the best real-only arm, real + classic, which may be chance (p = 1" in found.sentence
    assert found.sentence.endswith("These are worse beyond chance: real + 5 synthetic")


def test_harm() -> None:
    found = verdict((REAL, 0.9), (ONE, 0.7), (FIVE, 0.5))
    assert found.kind == "harm"
    assert found.sentence.startswith("They did harm: the best arm with synthetic images, real + 1 synthetic, ")


def test_the_whole_set_and_the_better_classifier_decide() -> None:
    found = [
        trials(arm, share, classifier, fraction)
        for classifier, fraction, arm, share in (
            ("linear", 0.1, REAL, 0.5),
            ("linear", 0.1, ONE, 0.9),
            ("linear", 1.0, REAL, 0.9),
            ("linear", 1.0, ONE, 0.9),
            ("cnn", 1.0, REAL, 0.6),
            ("cnn", 1.0, ONE, 0.8),
        )
    ]
    results = results_of(found, Unseen(), 100)
    assert verdict_of(results).kind == "no gain shown"
    whole = [result for result in results if result.fraction == 1.0]
    assert verdict_by(whole, "cnn").kind == "gain"
    assert results[1].gain.value == pytest.approx(0.4, abs=0.1)


def test_a_row_says_if_its_generator_saw_more() -> None:
    plain, synthetic = results_of([trials(REAL, 0.6), trials(ONE, 0.6)], Unseen(), 1000)
    assert plain.generator_saw is None
    assert synthetic.generator_saw == 1000
    assert results_of([trials(REAL, 0.6), trials(ONE, 0.6)], Unseen(), 100)[1].generator_saw is None
