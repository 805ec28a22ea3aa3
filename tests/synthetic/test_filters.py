"""Filters on images of which it is plain what they are; a feature is a pixel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stylegan_ada import UserError
from stylegan_ada.metrics.feature_sets import RealFeatures
from stylegan_ada.metrics.mathematics.thumbnails import thumbnails
from stylegan_ada.synthetic import Recipe
from stylegan_ada.synthetic.filters import COPY, KEPT, MISLABELLED, SPARSE, Filters, Judgement
from stylegan_ada.synthetic.selection import MOST_TRIES, Selection

CLASSES = ("dark", "bright")


def noise(count: int, low: int, seed: int = 0) -> np.ndarray:
    """uint8 [count, 8, 8, 1] around `low` + 50."""
    return np.random.default_rng(seed).integers(low, low + 100, (count, 8, 8, 1)).astype(np.uint8)


@pytest.fixture
def real(pixels: Any) -> RealFeatures:
    images = np.concatenate([noise(40, 0), noise(40, 120, seed=1)])
    labels = np.repeat([0, 1], 40)
    features, small = pixels.extract([images]), thumbnails(images)
    return RealFeatures(
        reference=features,
        trained_on=features,
        trained_on_thumbnails=small,
        reference_labels=labels,
        trained_on_labels=labels,
        classes=CLASSES,
    )


@pytest.fixture
def filters(real: RealFeatures, pixels: Any) -> Callable[..., Any]:
    def make(**options: float) -> Filters:
        return Filters(Recipe(counts=(32, 32), psi=(1, 1), **options), real, CLASSES, pixels)

    return make


def test_copies_are_rejected(filters: Callable[..., Any]) -> None:
    images = noise(6, 0, seed=2)
    images[2] = noise(40, 0)[7]
    images[4] = noise(40, 0)[9] + 1
    found = filters(reject_copies=True).judge(images, 0)
    assert found.verdicts.tolist() == [KEPT, KEPT, COPY, KEPT, COPY, KEPT]
    assert found.scores["copy_distance"][2] < found.scores["copy_distance"][4] < 1
    assert found.scores["copy_distance"][0] > 1


def test_images_of_another_class_are_rejected(filters: Callable[..., Any]) -> None:
    images = np.concatenate([noise(3, 0, seed=2), noise(3, 120, seed=3)])
    judge = filters(reject_mislabelled=True).judge
    for label in (0, 1):
        found = judge(images, label)
        wrong = np.repeat([0, 1], 3) != label
        assert found.verdicts.tolist() == np.where(wrong, MISLABELLED, KEPT).tolist()
        assert ((found.scores["label_probability"] < 0.5) == wrong).all()


def test_classes_go_by_name(real: RealFeatures, pixels: Any) -> None:
    recipe = Recipe(counts=(1, 1), psi=(1, 1), reject_mislabelled=True)
    other_order = Filters(recipe, real, ("bright", "dark"), pixels)
    assert other_order.judge(noise(3, 120, seed=3), 0).verdicts.tolist() == [KEPT] * 3
    with pytest.raises(UserError, match="class 'grey'"):
        Filters(recipe, real, ("bright", "grey"), pixels)


def test_the_densest_are_kept(filters: Callable[..., Any], real: RealFeatures) -> None:
    images = noise(8, 0, seed=2)
    images[::2] = noise(4, 120, seed=4)  # as far from the class as can be
    found = filters(keep_best=0.5).judge(images, 0)
    assert found.verdicts.tolist() == [SPARSE, KEPT] * 4
    own = real.trained_on[:40].astype(np.float64)
    apart = np.sort(np.linalg.norm(own[:, None] - own, axis=2), axis=1)[:, 5]  # to the 5th neighbour
    x = images.reshape(8, -1).astype(np.float64)
    expected = (np.linalg.norm(x[:, None] - own, axis=2) <= apart).sum(axis=1) / 5
    np.testing.assert_allclose(found.scores["density"], expected)


def test_the_best_are_taken_of_what_passed_before(filters: Callable[..., Any]) -> None:
    images = noise(4, 0, seed=2)
    images[:2] = noise(40, 0)[:2]
    found = filters(reject_copies=True, keep_best=0.5).judge(images, 0)
    assert sorted(found.verdicts.tolist()) == [KEPT, COPY, COPY, SPARSE]


def test_duplicates_are_found_within_a_block_and_in_earlier_ones(filters: Callable[..., Any]) -> None:
    made = filters(reject_duplicates=True)
    one, two = noise(4, 0, seed=2), noise(4, 0, seed=3)
    one[3] = one[1]
    two[0] = one[2] + 1
    selection = Selection(6, made.duplicates)
    for images in (one, two):
        selection.add(made.judge(images, 0))
    assert [(one.block, one.position) for one in selection.chosen] == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (1, 3)]
    assert selection.rejected == {"duplicates": 2}
    assert min(one.scores["duplicate_distance"] for one in selection.chosen) >= 1


def test_a_judgement_does_not_depend_on_others(filters: Callable[..., Any]) -> None:
    made = filters(reject_copies=True, keep_best=0.5)
    first = made.judge(noise(32, 0, seed=2), 0)
    made.judge(noise(32, 50, seed=3), 1)
    again = filters(reject_copies=True, keep_best=0.5).judge(noise(32, 0, seed=2), 0)
    assert first.verdicts.tobytes() == again.verdicts.tobytes()
    assert {k: v.tobytes() for k, v in first.scores.items()} == {k: v.tobytes() for k, v in again.scores.items()}


def judged(verdicts: list[int]) -> Judgement:
    nothing = np.zeros((len(verdicts), 0), np.float32)
    return Judgement(verdicts=np.array(verdicts, np.int8), features=nothing, thumbnails=nothing)


def test_what_is_rejected_is_replaced_by_the_next() -> None:
    selection = Selection(40)
    while blocks := selection.next_blocks():
        for _ in blocks:
            selection.add(judged([KEPT, COPY] * 16))
    assert len(selection.chosen) == 40
    assert selection.candidates == 79  # up to the last that was needed
    assert selection.rejected == {"copies": 39}
    assert (selection.chosen[16].block, selection.chosen[16].position) == (1, 0)


def test_a_class_without_acceptable_images_ends() -> None:
    selection = Selection(33)
    while blocks := selection.next_blocks():
        for _ in blocks:
            selection.add(judged([MISLABELLED] * 32))
    assert selection.chosen == []
    assert selection.candidates == 2 * 32 * MOST_TRIES


def test_too_few_real_images_are_a_mistake_of_the_user(pixels: Any) -> None:
    features = pixels.extract([noise(1, 0)])
    lone = RealFeatures(reference=features, trained_on=features, trained_on_thumbnails=features)
    for options in ({"reject_copies": True}, {"reject_duplicates": True}, {"keep_best": 0.5}):
        with pytest.raises(UserError, match="too few real images"):
            Filters(Recipe(counts=(1,), psi=(1,), **options), lone, (), pixels)
    unknown = RealFeatures(reference=features)
    with pytest.raises(UserError, match="the filters need the training images"):
        Filters(Recipe(counts=(1,), psi=(1,), reject_copies=True), unknown, (), pixels)
    with pytest.raises(UserError, match="without labels"):
        Filters(Recipe(counts=(1,), psi=(1,), reject_mislabelled=True), lone, (), pixels)


@pytest.mark.parametrize("options", [{"reject_mislabelled": True}, {"keep_best": 0.5}])
def test_labels_that_are_no_class_are_refused(real: RealFeatures, pixels: Any, options: dict[str, Any]) -> None:
    recipe = Recipe(kinds=("tone=dark",), counts=(1,), psi=(1,), **options)
    with pytest.raises(UserError, match="'tone=dark': there are no real images of it to filter by"):
        Filters(recipe, real, recipe.kinds, pixels)
    assert Filters(
        Recipe(kinds=("tone=dark",), counts=(1,), psi=(1,), reject_duplicates=True), real, recipe.kinds, pixels
    )
