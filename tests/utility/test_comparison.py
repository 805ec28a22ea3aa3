import numpy as np
import pytest
from scipy import stats

from stylegan_ada.utility.comparison import Difference, corrected, difference


def wins(rng: np.random.Generator, seeds: int, n: int, share: float) -> np.ndarray:
    return rng.random((seeds, n)) < share


def test_the_difference_is_that_of_balanced_accuracy() -> None:
    rng = np.random.default_rng(0)
    one, other, labels = wins(rng, 5, 60, 0.8), wins(rng, 5, 60, 0.6), np.repeat([0, 1], [50, 10])
    found = difference(one, other, labels, np.arange(60))
    expected = np.mean([one[:, labels == c].mean() - other[:, labels == c].mean() for c in (0, 1)])
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high


def test_the_interval_is_scipys_where_only_images_vary() -> None:
    """One class, seeds that agree: the bootstrap of a mean."""
    rng = np.random.default_rng(1)
    one, other = (np.tile(wins(rng, 1, 200, share), (3, 1)) for share in (0.8, 0.7))
    found = difference(one, other, np.zeros(200, int), np.arange(200))
    gain = one[0].astype(float) - other[0]
    interval = stats.bootstrap((gain,), np.mean, n_resamples=5000, method="percentile", rng=0).confidence_interval
    assert [found.low, found.high] == pytest.approx(list(interval), abs=0.006)


def test_images_of_one_unit_are_no_independent_evidence() -> None:
    rng = np.random.default_rng(2)
    of_units = wins(rng, 1, 20, 0.6)
    one = np.tile(np.repeat(of_units, 10, axis=1), (3, 1))
    other, labels = ~one, np.zeros(200, int)
    apart, together = (
        difference(one, other, labels, units) for units in (np.arange(200), np.repeat(np.arange(20), 10))
    )
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(np.sqrt(10), rel=0.1)


def test_chance_alone_is_called_a_difference_in_one_case_of_twenty() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], 100)
    ps = [difference(wins(rng, 5, 200, 0.7), wins(rng, 5, 200, 0.7), labels, np.arange(200)).p for _ in range(60)]
    assert np.mean(np.array(ps) < 0.05) < 0.15


def test_few_images_of_a_class_widen_the_interval() -> None:
    """Four images that all gain: a bootstrap of them alone would be certain."""
    one, labels = np.ones((5, 4), bool), np.zeros(4, int)
    few = difference(one, ~one, labels, np.arange(4))
    assert few.value == few.high == 1
    assert few.low < 0.3
    many = difference(np.ones((5, 5), bool), np.zeros((5, 5), bool), np.zeros(5, int), np.arange(5))
    assert many.low == 1


def test_holms_correction() -> None:
    """The example of Holm's procedure with p of 0.01, 0.04, 0.03, 0.005."""
    differences = [Difference(value=0, low=0, high=0, p=p) for p in (0.01, 0.04, 0.03, 0.005)]
    assert [one.p_corrected for one in corrected(differences)] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert corrected([Difference(value=0, low=0, high=0, p=0.9)] * 3)[0].p_corrected == 1
