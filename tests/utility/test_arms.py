from typing import Any

import numpy as np
import pytest

from stylegan_ada import UserError
from stylegan_ada.utility.arms import KINDS, RATIOS, Arm, best_arms, first_arms, synthetic_counts


def test_all_arms_and_their_names() -> None:
    names = [arm.name for arm in first_arms(KINDS, RATIOS)]
    assert names[:4] == ["real", "real + classic", "real + 0.5 synthetic", "real + 1 synthetic"]
    assert names[-1] == "real + 5 synthetic, filtered"
    assert len(set(names)) == 10


def test_the_best_ratio_is_that_of_the_validation_images() -> None:
    scores = {Arm(): 0.9, Arm(ratio=1): 0.5, Arm(ratio=2, filtered=True): 0.6}
    assert [arm.name for arm in best_arms(KINDS, scores)] == [
        "real + classic + 2 synthetic, filtered",
        "2 synthetic, filtered",
    ]
    assert best_arms(("synthetic",), scores) == []


@pytest.mark.parametrize(
    ("kinds", "ratios", "message"),
    [
        (["reel"], [1], "did you mean 'real'"),
        (["real", "classic"], [1], "nothing to judge"),
        (["combined"], [1], "give one of these"),
        (["synthetic"], [0.0], "above 0"),
        (["synthetic"], [], "above 0"),
        (["synthetic"], [float("nan")], "`ratios` nan: give numbers above 0, up to 1000"),
        (["synthetic"], [1.0, float("inf")], "`ratios` 1,inf: give numbers above 0"),
    ],
)
def test_arms_that_cannot_be(kinds: list[str], ratios: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        first_arms(kinds, ratios)


def test_synthetic_images_in_the_shares_of_real_ones() -> None:
    counts = synthetic_counts(np.array([100, 30, 7, 0]), 0.5, balance=False)
    assert counts.sum() == round(137 / 2)
    assert np.abs(counts - np.array([50, 15, 3.5, 0])).max() <= 1


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 5.0])
def test_rare_classes_are_filled_up_first(ratio: float) -> None:
    """Against an image at a time for the smallest class."""
    real = np.array([100, 30, 7, 55, 0])
    expected = real.copy()
    for _ in range(round(ratio * real.sum())):
        expected[np.flatnonzero(expected)[expected[expected > 0].argmin()]] += 1
    assert sorted(real + synthetic_counts(real, ratio, balance=True)) == sorted(expected)
