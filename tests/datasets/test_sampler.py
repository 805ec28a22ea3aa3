import numpy as np
import pytest

from stylegan_ada.datasets import image_order


def test_each_epoch_holds_every_image_once() -> None:
    order = image_order(11, seed=3, start=0, count=44).reshape(4, 11)
    assert order.dtype == np.int64
    assert (np.sort(order, axis=1) == np.arange(11)).all()
    assert len({tuple(epoch) for epoch in order}) == 4
    assert all(tuple(epoch) != tuple(range(11)) for epoch in order)


@pytest.mark.parametrize(("start", "count"), [(0, 5), (7, 11), (3, 40), (10, 1), (22, 11), (5, 0)])
def test_any_stretch_is_that_of_the_whole(start: int, count: int) -> None:
    whole = image_order(11, 3, 0, 60)
    np.testing.assert_array_equal(image_order(11, 3, start, count), whole[start : start + count])


def test_epochs_are_numpys_own_permutations() -> None:
    for epoch in range(3):
        seeds = np.random.SeedSequence(5, spawn_key=(epoch,))
        expected = np.random.default_rng(seeds).permutation(7)
        np.testing.assert_array_equal(image_order(7, 5, 7 * epoch, 7), expected)


def test_seeds_differ_and_every_order_is_as_likely() -> None:
    orders = [tuple(image_order(3, seed, 0, 3)) for seed in range(1200)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert ((counts - 200) ** 2 / 200).sum() < 20.5  # chi squared, 5 degrees of freedom, p = 0.001


def test_the_caller_may_write_into_it() -> None:
    order = image_order(4, 0, 0, 4)
    order[:] = 0
    assert sorted(image_order(4, 0, 0, 4)) == [0, 1, 2, 3]
