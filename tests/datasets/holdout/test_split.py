import dataclasses

import numpy as np
import pytest

from stylegan_ada import UserError
from stylegan_ada.datasets import ImageDataset, holdout_split


def relabelled(dataset: ImageDataset, *counts: int) -> ImageDataset:
    return dataclasses.replace(dataset, labels=np.repeat(np.arange(len(counts)), counts))


def test_held_out_is_the_same_share_of_each_class(dataset: ImageDataset) -> None:
    train_part, held = holdout_split(dataset, 0.25, None, seed=3)
    assert sorted([*train_part, *held]) == list(range(24))
    assert np.bincount(dataset.labels[held]).tolist() == [3, 3]
    assert not np.array_equal(held, holdout_split(dataset, 0.25, None, seed=4)[1])
    assert len(holdout_split(dataset, 0.0, None, seed=3)[1]) == 0


def test_two_of_each_class_are_left(dataset: ImageDataset) -> None:
    small = relabelled(dataset, 21, 3)
    _, held = holdout_split(small, 0.5, None, seed=3)
    assert np.bincount(small.labels[held]).tolist() == [10, 1]
    with pytest.raises(UserError, match="less than one image of any class"):
        holdout_split(small, 0.01, None, seed=3)


def test_a_subset_has_its_share_of_each_class_and_nothing_held_out(dataset: ImageDataset) -> None:
    set_of_3 = relabelled(dataset, 12, 8, 4)
    whole, held = holdout_split(set_of_3, 0.25, None, seed=3)
    part, held_too = holdout_split(set_of_3, 0.25, 12, seed=3)
    assert np.array_equal(held, held_too)
    assert set(part) < set(whole)
    assert len(part) == 12
    shares = np.bincount(set_of_3.labels[whole]) * 12 / len(whole)
    assert np.abs(np.bincount(set_of_3.labels[part]) - shares).max() < 1
    assert not np.array_equal(part, holdout_split(set_of_3, 0.25, 12, seed=4)[0])


def test_without_labels_a_subset_is_random(dataset: ImageDataset) -> None:
    unlabelled = dataclasses.replace(dataset, labels=None, classes=())
    part, _ = holdout_split(unlabelled, 0.0, 5, seed=1)
    assert len(set(part)) == 5
    assert list(part) != list(range(5))


@pytest.mark.parametrize(("subset", "message"), [(25, "only 24 images"), (5, "less than two images of the rarest")])
def test_subsets_that_cannot_be_taken(dataset: ImageDataset, subset: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        holdout_split(relabelled(dataset, 20, 4), 0.0, subset, seed=1)


def test_whole_groups_are_held_out(dataset: ImageDataset) -> None:
    groups = tuple("abcdefghijkl"[index % 12] for index in range(24))  # each of an image of either class
    grouped = dataclasses.replace(dataset, groups=groups)
    kept, held = holdout_split(grouped, 0.25, None, seed=3)
    assert {groups[index] for index in kept}.isdisjoint(groups[index] for index in held)
    assert np.bincount(grouped.labels[held]).tolist() == [3, 3]
    assert not np.array_equal(held, holdout_split(grouped, 0.25, None, seed=4)[1])


def test_a_group_that_would_take_nearly_all_of_a_class_stays(dataset: ImageDataset) -> None:
    groups = ("large",) * 11 + tuple(f"{index}" for index in range(13))
    grouped = dataclasses.replace(relabelled(dataset, 12, 12), groups=groups)
    kept, held = holdout_split(grouped, 0.5, None, seed=0)
    assert set(range(11)) <= set(kept)
    assert np.bincount(grouped.labels[kept], minlength=2).min() >= 2
    assert len(held) >= 6
    with pytest.raises(UserError, match="no group of any class is that small"):
        holdout_split(dataclasses.replace(dataset, groups=("one",) * 24), 0.5, None, seed=0)
