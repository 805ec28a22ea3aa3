import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stylegan_ada.metrics import find_copies
from stylegan_ada.metrics.mathematics.memorisation import QUANTILE, either


def draws(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)


@pytest.mark.parametrize("held_out", [draws(5, 300), None], ids=["held-out images", "leave one out"])
def test_a_replay_is_found_and_a_fresh_draw_is_not(held_out: np.ndarray | None) -> None:
    training = draws(1, 600)
    replayed = find_copies(training[:400] + 0.01 * draws(2, 400), training, held_out)
    assert replayed.share > 0.95
    assert replayed.excess > 10
    fresh = find_copies(draws(3, 400), training, held_out)
    assert fresh.share == pytest.approx(QUANTILE, abs=0.04)
    assert abs(fresh.excess) < 3
    for copies in (replayed, fresh):
        assert copies.control_share == pytest.approx(QUANTILE, abs=0.04)
    np.testing.assert_array_equal(replayed.nearest, np.arange(400))


def test_half_a_replay_is_half_suspected() -> None:
    training = draws(1, 600)
    generated = np.concatenate([training[:100] + 0.01, draws(3, 100)])
    copies = find_copies(generated, training)
    assert copies.share == pytest.approx(0.5 + QUANTILE / 2, abs=0.03)
    assert copies.suspected[:100].all()


def test_threshold_and_control_are_of_different_halves() -> None:
    training, held_out, generated = draws(1, 50), draws(2, 41), draws(3, 30)
    copies = find_copies(generated, training, held_out, seed=4)
    far = np.random.default_rng(4).permutation(cdist(held_out, training).min(axis=1))
    assert copies.threshold == pytest.approx(np.quantile(far[:20], QUANTILE))
    np.testing.assert_array_equal(copies.control, far[20:] < copies.threshold)
    np.testing.assert_allclose(copies.distance, cdist(generated, training).min(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(copies.nearest, cdist(generated, training).argmin(axis=1))
    np.testing.assert_array_equal(copies.suspected, copies.distance < copies.threshold)


def test_either_of_two_ways() -> None:
    """The first half of the images is near in one way, the second in the other."""
    training, noise = draws(1, 400), 100 * draws(2, 400)
    one = find_copies(np.concatenate([training[:50], 99 + noise[:50]]), training, quantile=0.02)
    other = find_copies(10 * np.concatenate([99 + noise[:50], training[350:]]), 10 * training, quantile=0.02)
    both = either(one, other)
    assert both.suspected.all()
    assert both.control_share == pytest.approx((one.control | other.control).mean())
    np.testing.assert_array_equal(both.nearest, [*range(50), *range(350, 400)])
    np.testing.assert_allclose(
        both.distance, np.minimum(one.distance / one.threshold, other.distance / other.threshold)
    )
    np.testing.assert_array_equal(both.suspected, both.distance < both.threshold)


def test_where_all_real_images_are_there_twice_one_way_tells_nothing() -> None:
    training = draws(1, 100)
    doubled = find_copies(training[:5], np.concatenate([training[:50]] * 2))
    both = either(doubled, find_copies(training[:5], training))
    assert doubled.threshold == 0
    assert both.suspected.all()
    np.testing.assert_array_equal(both.nearest, range(5))


def test_too_few_images() -> None:
    with pytest.raises(ValueError, match="halved"):
        find_copies(draws(0, 5), draws(1, 5), draws(2, 1))
    with pytest.raises(ValueError, match="neighbour"):
        find_copies(draws(0, 5), draws(1, 1))
