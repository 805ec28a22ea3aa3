import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylegan_ada import UserError
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.utility.real import LabelledImages, open_real, without_seen
from stylegan_ada.utility.target import Target
from stylegan_ada.utility.validation import draw_fit_and_validation

CLASSES = ("1", "8", "9")

DIGITS = Target(CLASSES, CLASSES)


@pytest.fixture
def labelled(test_set: Path) -> Callable[..., Any]:
    """labelled(members, groups): some of the 150 test images, of three classes."""
    dataset = load_dataset(str(test_set), Preparation(size=16))

    def labelled(members: np.ndarray, groups: tuple[str, ...] | None = None) -> LabelledImages:
        return LabelledImages(
            dataset=dataclasses.replace(dataset, groups=groups), members=members, labels=dataset.labels[members]
        )

    return labelled


def test_no_test_image_is_of_a_group_that_was_trained_on(labelled: Callable[..., Any]) -> None:
    groups = tuple(f"p{index % 10}" for index in range(150))
    train, test = labelled(np.arange(0, 150, 10), groups), labelled(np.arange(1, 150), groups)
    usable, refused = without_seen(test, train)
    assert {groups[index] for index in usable.members} == {f"p{index}" for index in range(1, 10)}
    assert refused[0] == (test.dataset.names[10], "the run was trained on images of its group, p0")
    assert len(refused) == 14
    assert usable.units.max() == 8


def test_each_seed_draws_its_own_images_and_no_group_lies_on_both_sides(labelled: Callable[..., Any]) -> None:
    train = labelled(np.arange(150))
    split, other = draw_fit_and_validation(train, 0.5, 0), draw_fit_and_validation(train, 0.5, 1)
    assert np.bincount(train.labels[split.fit]).tolist() == [20, 20, 20]
    assert np.bincount(train.labels[split.validation]).tolist() == [5, 5, 5]
    assert not set(split.fit) & set(split.validation)
    assert not np.array_equal(split.fit, other.fit)
    assert len(draw_fit_and_validation(train, 0.001, 0).fit) == 6
    groups = tuple(f"p{index % 10}" for index in range(150))
    split = draw_fit_and_validation(labelled(np.arange(150), groups), 1.0, 0)
    assert {groups[i] for i in split.fit}.isdisjoint(groups[i] for i in split.validation)
    with pytest.raises(UserError, match="leave none for validation"):
        draw_fit_and_validation(labelled(np.arange(150), ("all",) * 150), 1.0, 0)


def test_what_the_test_images_cannot_tell(
    digits_run: Path, digits: dict[str, np.ndarray], write: Callable[..., Any]
) -> None:
    few = write({"1": digits["1"][60:80], "8": digits["8"][60:63]})
    real = open_real(digits_run, DIGITS, None, str(few))
    assert real.warnings == [
        "class 8 has only 3 test images: intervals are widened for it",
        "class 9 has no test images: nothing is known of it, and it does not count",
    ]
    assert len(real.train) == 126


def test_images_that_do_not_serve(
    digits_run: Path, digits: dict[str, np.ndarray], write: Callable[..., Any], train_set: Path
) -> None:
    with pytest.raises(UserError, match="held out no images to test on"):
        open_real(digits_run, DIGITS, None, None)
    other = write({"1": digits["1"][60:70], "nine": digits["9"][60:70]})
    with pytest.raises(UserError, match="the generator has no class 'nine', choose from '1', '8', '9'"):
        open_real(digits_run, DIGITS, None, str(other))
    with pytest.raises(UserError, match="not the images that the run was trained on"):
        open_real(digits_run, DIGITS, str(write({"1": digits["1"][60:70], "9": digits["9"][60:70]})), None)
    with pytest.raises(UserError, match="trained without labels"):
        open_real(digits_run, Target((), ()), None, None)
    one = write({"1": digits["1"][60:70], "9": digits["9"][:5]})  # nines that were trained on
    with pytest.raises(UserError, match="fewer than two classes"):
        open_real(digits_run, DIGITS, None, str(one))
