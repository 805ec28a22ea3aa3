"""Labels by text: what they stand for, and what is drawn where they leave something open."""

from collections import Counter

import numpy as np
import pytest

from stylegan_ada.errors import UserError
from stylegan_ada.labels.attribute import Attribute, column_names, encoded_rows, label_width, slices
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.labels.texts import combination_name, label_text, parse_label

TYPE = Attribute(name="type", kind="category", values=("mono", "poly"))
DEGREE = Attribute(name="degree", kind="category", values=("0.00", "0.67"), unknown=True)
AGE = Attribute(name="age", kind="number", mean=40, spread=10, low=20, high=70)
DENT = Attribute(name="dent", kind="yesno", values=("no", "yes"))
FLAWS = Attribute(name="flaws", kind="several", values=("none", "scratch", "a;b=c,d"))
LABELS = ("type=mono,degree=0.00,age=30", "type=poly,degree=0.00,age=50", "type=poly,degree=,age=41.5")
SPACE = LabelSpace(("mono-0.00", "poly-0.00", "poly-degree?"), (3, 2, 1), (TYPE, DEGREE, AGE), LABELS, (3, 2, 1))


def test_label_vectors_by_hand() -> None:
    rows = [("mono", "0.67", 55.0), ("poly", None, 40.0)]
    expected = [[1, 0, 0, 1, 0, 1.5, 1], [0, 1, 0, 0, 1, 0, 1]]
    np.testing.assert_array_equal(SPACE.vectors(rows), np.array(expected, np.float32))
    assert SPACE.width == label_width(SPACE.attributes) == 7
    assert slices(SPACE.attributes) == [slice(0, 2), slice(2, 5), slice(5, 7)]
    names = ["type=mono", "type=poly", "degree=0.00", "degree=0.67", "degree=", "age", "age known"]
    assert column_names(SPACE.attributes) == names


def test_numbers_beyond_what_was_seen_are_clipped_and_unknown_ones_are_zero() -> None:
    attribute = Attribute(name="age", kind="number", unknown=True, mean=40, spread=10, low=20, high=70)
    encoded = attribute.encoded([500.0, -3.0, None])
    assert encoded.tolist() == [[3, 1, 0], [-2, 1, 0], [0, 0, 1]]
    assert attribute.known(encoded).tolist() == [True, True, False]
    assert attribute.numbers(encoded).tolist() == [70, 20, 40]


def test_several_values_are_ones_side_by_side() -> None:
    rows = [(("scratch", "a;b=c,d"), "yes"), (("none",), "no")]
    assert encoded_rows([FLAWS, DENT], rows).tolist() == [[0, 1, 1, 0, 1], [1, 0, 0, 1, 0]]


@pytest.mark.parametrize(
    "row", [("mono", "0.67", 55.5), ("poly", None, 21.25), ("poly", "0.00", 20.0)], ids=["whole", "unknown", "lowest"]
)
def test_text_gives_the_row_back(row: tuple[str, str | None, float]) -> None:
    assert tuple(parse_label(SPACE.attributes, label_text(SPACE.attributes, row)).values()) == row


def test_no_digit_of_a_number_is_lost() -> None:
    for number in (1700000001.0, 0.1, 1 / 3, 1e300, 5e-324):
        assert parse_label([AGE], label_text([AGE], [number])) == {"age": number}
    assert label_text([AGE], [20240115.0]) == "age=20240115"


def test_several_values_are_the_same_in_any_order() -> None:
    assert parse_label([FLAWS], "flaws=scratch;none;scratch") == {"flaws": ("none", "scratch")}


def test_marks_of_the_text_may_stand_in_values() -> None:
    attributes = (FLAWS, Attribute(name="a,b=c", kind="category", values=("x\\y", "z")))
    row = (("none", "a;b=c,d"), "x\\y")
    assert parse_label(attributes, label_text(attributes, row)) == {"flaws": row[0], "a,b=c": row[1]}


def test_short_names() -> None:
    attributes = (TYPE, DENT, FLAWS, DEGREE, AGE)
    assert combination_name(attributes, ("mono", "yes", ("none", "scratch"), None, 3.0)) == (
        "mono-dent-none+scratch-degree?"
    )
    assert combination_name((DENT,), ("no",)) == "no dent"
    assert combination_name((AGE,), (3.0,)) == "all"


@pytest.mark.parametrize("text", ["mono-0.67", "type=mono,degree=0.67", "degree=0.67, type=mono"])
def test_a_combination_that_no_image_has(text: str) -> None:
    rows = SPACE.drawn([text] * 2, [0.0, 0.99])
    assert [row[:2] for row in rows] == [("mono", "0.67")] * 2
    assert {row[2] for row in rows} == {30.0}  # of images with the type: none has that degree
    assert SPACE.class_of(rows[0]) == "mono-0.67"


def test_what_is_not_named_is_drawn_from_images_that_have_the_rest() -> None:
    positions = (np.arange(300) + 0.5) / 300
    assert Counter(SPACE.drawn(["poly"] * 300, positions)) == {
        ("poly", "0.00", 50.0): 200,
        ("poly", None, 41.5): 100,
    }
    counts = Counter(row[0] for row in SPACE.drawn([None] * 300, positions))
    assert counts == {"mono": 150, "poly": 150}
    assert SPACE.drawn(["poly-degree?"], [0.5]) == [("poly", None, 41.5)]


def test_a_named_number_draws_from_images_near_it() -> None:
    ages = range(20, 71)
    labels = tuple(f"type={'mono' if age < 45 else 'poly'},age={age}" for age in ages)
    space = LabelSpace(("mono", "poly"), (25, 26), (TYPE, AGE), labels, (1,) * len(labels))
    drawn = space.drawn(["age=30"] * 20 + ["age=65"] * 20, [*np.linspace(0, 0.99, 20)] * 2)
    assert drawn == [("mono", 30.0)] * 20 + [("poly", 65.0)] * 20


def test_flat_classes_are_one_attribute() -> None:
    space = LabelSpace(("a", "b-c"), (1, 3))
    assert space.vectors(space.drawn(["b-c", None, None, "class=a"], [0, 0.2, 0.3, 0.9])).tolist() == [
        [0, 1],
        [1, 0],
        [0, 1],
        [1, 0],
    ]
    assert space.text(("b-c",)) == space.class_of(("b-c",)) == "b-c"
    assert LabelSpace((), ()).width == 0


def test_combinations_of_one_short_name_have_their_whole_text() -> None:
    attributes = (
        Attribute(name="x", kind="category", values=("a", "a-b")),
        Attribute(name="y", kind="category", values=("c", "b-c")),
    )
    labels = ("x=a,y=b-c", "x=a-b,y=c")
    space = LabelSpace(labels, (1, 1), attributes, labels, (1, 1))
    assert [space.class_of(row) for row in space.rows] == list(labels)
    with pytest.raises(UserError, match="`label` a-b-c: no such class"):
        space.named("a-b-c")


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("mono-0.0", "`label` mono-0.0: no such class, did you mean 'mono-0.00'?"),
        ("typ=mono", "`label` typ=mono: no attribute 'typ', did you mean 'type'?"),
        ("type=mon", "`label` type=mon: no such value, did you mean 'mono'?"),
        ("type=", "`label` type=: it was known of every image, give a value"),
        ("age=3,5", "`label` age=3,5: '5' is not ATTRIBUTE=VALUE"),
        ("age=nan", "`label` age=nan: give a number, such as 40"),
        ("age=old", "`label` age=old: give a number, such as 40"),
        ("type=mono,type=poly", "`label` type=mono,type=poly: 'type' is named twice, once is enough"),
    ],
)
def test_mistakes_in_a_label(label: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        SPACE.named(label)
    assert str(raised.value) == message


def test_remarks_say_what_is_clipped() -> None:
    assert SPACE.remarks("age=200") == ["`label` age=200: training saw 20 to 70, 70 is taken"]
    assert SPACE.remarks("mono-0.00") == SPACE.remarks("age=70") == []


def test_rows_of_a_picture() -> None:
    expected = ["type=mono", "type=poly", "degree=0.00", "degree=0.67", "age=20", "age=32.5", "age=45", "age=57.5"]
    assert SPACE.shown(16) == [*expected, "age=70"]
    assert len(SPACE.shown(4)) <= 4
    assert LabelSpace(("a", "b"), (1, 1)).shown(16) == ["a", "b"]
