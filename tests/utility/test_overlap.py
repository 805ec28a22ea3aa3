"""Dice of test images, and the interval of a difference."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from stylegan_ada.utility.segmentation.overlap import Overlap, difference, mean_dice, overlap_of


@pytest.fixture
def true() -> np.ndarray:
    return np.random.default_rng(0).random((40, 2, 8, 8)) < 0.3


def noisy(true: np.ndarray, share: float, seed: int) -> Overlap:
    """Of masks a share of whose pixels is wrong."""
    return overlap_of(true ^ (np.random.default_rng(seed).random(true.shape) < share), true)


def test_dice_and_iou_are_those_of_scikit_learn(true: np.ndarray) -> None:
    marked = np.random.default_rng(1).random(true.shape) < 0.4
    found = overlap_of(marked, true)
    for kind in range(2):
        flat = true[:, kind].ravel(), marked[:, kind].ravel()
        assert found.dice[kind] == pytest.approx(f1_score(*flat))
        assert found.iou[kind] == pytest.approx(jaccard_score(*flat))


def test_a_difference_beyond_chance_is_told_from_none(true: np.ndarray) -> None:
    units = np.arange(40)
    bad = [noisy(true, 0.2, seed) for seed in range(5)]
    good = [noisy(true, 0.1, seed) for seed in range(5, 10)]
    found = difference(good, bad, units)
    assert found.value == pytest.approx(mean_dice(good) - mean_dice(bad))
    assert found.low > 0.05
    assert found.p < 0.01
    same = difference([noisy(true, 0.2, seed) for seed in range(20, 25)], bad, units)
    assert same.low < 0 < same.high
    assert same.p > 0.05


def test_the_interval_holds_the_truth_as_often_as_it_says(true: np.ndarray) -> None:
    """Images differ in how hard they are, for both networks alike."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(40):
        hard = rng.uniform(0.05, 0.35, 40)[:, None, None, None]
        wrong = [rng.random(true.shape) < hard for _ in range(2)]
        found = difference([overlap_of(true ^ wrong[0], true)], [overlap_of(true ^ wrong[1], true)], np.arange(40))
        held += found.low <= 0 <= found.high
        assert found.low <= found.value <= found.high
    assert held >= 34  # of 40, where 38 are expected


def test_units_widen_the_interval(true: np.ndarray) -> None:
    """Forty images of four patients are not forty images."""
    hard = np.repeat([0.02, 0.1, 0.2, 0.35], 10)[:, None, None, None]
    rng = np.random.default_rng(4)
    one = [overlap_of(true ^ (rng.random(true.shape) < hard), true)]
    other = [overlap_of(true ^ (rng.random(true.shape) < hard[::-1]), true)]
    alone = difference(one, other, np.arange(40))
    together = difference(one, other, np.repeat(np.arange(4), 10))
    assert together.high - together.low > 1.3 * (alone.high - alone.low)
