import numpy as np
import pytest

from stylegan_ada.datasets import balanced, image_order

COUNTS = (50, 900, 300)
labels = np.repeat([0, 1, 2], COUNTS)
members = np.random.default_rng(0).permutation(5000)[: len(labels)]


def test_natural_shares_change_nothing() -> None:
    assert np.array_equal(balanced(members, labels, 0), members)


@pytest.mark.parametrize("balance", [0.3, 1])
def test_shares_lie_between_natural_and_equal_ones(balance: float) -> None:
    epoch = balanced(members, labels, balance)
    label_of = dict(zip(members.tolist(), labels.tolist(), strict=True))
    found = np.bincount([label_of[index] for index in epoch.tolist()]) / len(epoch)
    natural = np.array(COUNTS) / sum(COUNTS)
    np.testing.assert_allclose(found, natural + balance * (1 / 3 - natural), atol=0.001)


def test_every_image_is_seen_and_none_of_a_class_twice_as_often_as_another() -> None:
    epoch = balanced(members, labels, 1)
    times = np.array([(epoch == index).sum() for index in members])
    for label in range(3):
        of_class = times[labels == label]
        assert of_class.min() >= 1
        assert of_class.max() - of_class.min() <= 1


def test_a_class_that_has_no_image_is_left_out() -> None:
    epoch = balanced(np.arange(6), np.array([0, 0, 0, 0, 2, 2]), 1)
    assert np.bincount(epoch, minlength=6).tolist() == [1, 1, 1, 1, 2, 2]


def test_the_stream_of_images_has_these_shares() -> None:
    epoch = balanced(np.arange(1250), labels, 1)
    seen = labels[epoch[image_order(len(epoch), 0, 0, 3 * len(epoch))]]
    np.testing.assert_allclose(np.bincount(seen) / len(seen), 1 / 3)
