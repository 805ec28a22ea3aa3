"""What is held out of sets by attributes, where many combinations have few images."""

from collections import Counter

import numpy as np
import pytest

from stylegan_ada.datasets import ImageDataset, holdout_split
from stylegan_ada.datasets.holdout.random_share import pooled
from stylegan_ada.labels.attribute import Attribute


def dataset(counts: list[int]) -> ImageDataset:
    """So many images of each combination."""
    labels = np.repeat(np.arange(len(counts)), counts)
    names = tuple(map(str, range(len(counts))))
    return ImageDataset(
        images=np.zeros((len(labels), 1, 4, 4), np.uint8),
        labels=labels,
        classes=names,
        names=tuple(map(str, range(len(labels)))),
        skipped=(),
        fingerprint="f",
        attributes=(Attribute(name="a", kind="category", values=names),),
        rows=tuple((names[label],) for label in labels),
    )


def test_rare_combinations_are_held_out_together() -> None:
    trained, held = holdout_split(dataset([4] * 100), 0.1, None, 0)
    assert (len(trained), len(held)) == (360, 40)
    trained, held = holdout_split(dataset([200, 100, *[1] * 50]), 0.1, None, 0)
    by_label = Counter(dataset([200, 100, *[1] * 50]).labels[held].tolist())  # type: ignore[index]
    assert (by_label[0], by_label[1]) == (20, 10)
    assert len(held) == 35  # and 5 of the 50 that are alone


def test_a_subset_may_lose_a_combination() -> None:
    for count in (100, 50):
        trained, _ = holdout_split(dataset([60, 39, 1]), 0, count, 0)
        assert len(trained) == count


def test_common_labels_stay() -> None:
    labels = np.repeat([0, 1, 2], [40, 9, 2])
    assert pooled(labels, 0.1).tolist() == [0] * 40 + [3] * 11
    np.testing.assert_array_equal(pooled(labels[:40], 0.1), labels[:40])


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_pools_hold_about_their_share(share: float) -> None:
    _, held = holdout_split(dataset([2] * 100), share, None, 3)
    assert len(held) == round(200 * share)
