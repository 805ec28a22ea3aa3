import pytest

from stylegan_ada import UserError
from stylegan_ada.labels.attribute import Attribute
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.synthetic.wanted import Wanted

FLAT = LabelSpace(("a", "b"), (3, 1))
SPACE = LabelSpace(
    ("mono", "poly"),
    (2, 1),
    (
        Attribute(name="type", kind="category", values=("mono", "poly")),
        Attribute(name="age", kind="number", low=20.0, high=60.0),
    ),
    ("type=mono,age=20", "type=poly,age=60"),
    (2, 1),
)


def wanted(**given: object) -> Wanted:
    nothing = {"per_class": None, "count": None, "balance_with": None, "labels": (), "by": None}
    return Wanted(**(nothing | given))


def test_classes_unless_something_else_is_asked_for() -> None:
    assert wanted(per_class=2).kinds(FLAT) == ("a", "b")
    assert wanted(count=8).counts((3, 1), ("a", "b")) == (6, 2)
    assert wanted(per_class=2).kinds(SPACE) == ("mono", "poly")
    assert wanted(count=2).kinds(LabelSpace((), ())) == ()


def test_labels_and_values_of_an_attribute() -> None:
    labels = ("type=mono,age=70", "poly")
    assert wanted(per_class=2, labels=labels).kinds(SPACE) == labels
    assert wanted(per_class=2, labels=labels).counts((2, 1), labels) == (2, 2)
    assert wanted(count=5, labels=("age=30",)).counts((2, 1), ("age=30",)) == (5,)
    assert wanted(per_class=2, by="type").kinds(SPACE) == ("type=mono", "type=poly")
    assert wanted(per_class=2, labels=labels).remarks(SPACE) == ["`label` age=70: training saw 20 to 60, 60 is taken"]


def test_flat_classes_keep_their_names() -> None:
    assert wanted(per_class=2, labels=("b", "class=b")).kinds(FLAT) == ("b",)
    assert wanted(per_class=2, by="class").kinds(FLAT) == ("a", "b")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give one of"),
        ({"count": 3, "per_class": 3}, "give one of"),
        ({"count": 0}, "`count` 0: give 1 or more"),
        ({"per_class": 3, "labels": ("poly",), "by": "type"}, "`label` and `by` exclude each other"),
        ({"count": 3, "by": "type"}, "`by` type: say how many"),
        ({"count": 3, "labels": ("mono", "poly")}, "`count` goes with one `label`"),
        ({"balance_with": "x", "labels": ("mono",)}, "leave `label` out"),
    ],
)
def test_what_does_not_go_together(given: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        wanted(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": ("pooly",)}, "`label` pooly: no such class, did you mean 'poly'"),
        ({"labels": ("tpye=mono",)}, "did you mean 'type'"),
        ({"by": "age"}, "`by` age: it is a number"),
        ({"by": "typ"}, "`by` typ: no such attribute, did you mean 'type'"),
    ],
)
def test_what_the_generator_does_not_know(given: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        wanted(per_class=2, **given).kinds(SPACE)
    with pytest.raises(UserError, match="without labels, use `count`"):
        wanted(per_class=2, **given).kinds(LabelSpace((), ()))
