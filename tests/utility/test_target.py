"""What classifiers are to name: classes, or an attribute's values."""

import numpy as np
import pytest

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.errors import UserError
from stylegan_ada.labels.attribute import Attribute
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.utility.real import numbered
from stylegan_ada.utility.target import target_of

TYPE = Attribute(name="type", kind="category", values=("mono", "poly"), unknown=True)
DENT = Attribute(name="dent", kind="yesno", values=("no", "yes"))
AGE = Attribute(name="age", kind="number", mean=3, spread=1, low=2, high=4)
LABELS = ("type=mono,dent=no,age=2", "type=poly,dent=yes,age=4", "type=,dent=no,age=3")
CLASSES = ("mono-no dent", "poly-dent", "type?-no dent")
SPACE = LabelSpace(CLASSES, (1, 1, 1), (TYPE, DENT, AGE), LABELS, (1, 1, 1))


def dataset() -> ImageDataset:
    return ImageDataset(
        images=np.zeros((3, 1, 4, 4), np.uint8),
        labels=np.arange(3),
        classes=CLASSES,
        names=("a", "b", "c"),
        skipped=(),
        fingerprint="f",
        attributes=SPACE.attributes,
        rows=tuple(SPACE.rows),
    )


def test_values_of_an_attribute_are_the_classes() -> None:
    target = target_of(SPACE, "type")
    assert (target.classes, target.labels) == (("mono", "poly"), ("type=mono", "type=poly"))
    seen = target.of_dataset(dataset(), "the set")
    assert numbered(seen, target.classes, "the set").tolist() == [0, 1, -1]
    assert target_of(SPACE, "dent").of_dataset(dataset(), "the set").labels.tolist() == [0, 1, 0]  # type: ignore[union-attr]


def test_without_a_target_the_classes_stay() -> None:
    target = target_of(SPACE, None)
    assert target.classes == target.labels == CLASSES
    assert target.of_dataset(dataset(), "the set").classes == CLASSES


@pytest.mark.parametrize(
    ("space", "name", "message"),
    [
        (SPACE, "typ", "`target` typ: no such attribute, did you mean 'type'?"),
        (SPACE, "age", "`target` age: its kind is number, give one of kind category or yesno"),
        (LabelSpace(("a",), (1,)), "type", "`target` type: this generator was trained on classes"),
    ],
)
def test_what_is_no_target_is_refused(space: LabelSpace, name: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        target_of(space, name)
    assert str(raised.value).startswith(message)


def test_a_set_without_the_attribute_is_refused() -> None:
    flat = ImageDataset(np.zeros((1, 1, 4, 4), np.uint8), np.zeros(1, np.int64), ("a",), ("a",), (), "f")
    with pytest.raises(UserError, match="`test` x: its images have no attribute 'type', which `target` names"):
        target_of(SPACE, "type").of_dataset(flat, "`test` x")
