from collections.abc import Sequence

import numpy as np
import pytest

from stylegan_ada import UserError
from stylegan_ada.labels.attribute import Attribute
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.labels.sweep import labels_by, parse_sweep

ATTRIBUTES = (
    Attribute(name="type", kind="category", values=("mono", "po:ly")),
    Attribute(name="age", kind="number", mean=40.0, spread=10.0, low=20.0, high=60.0),
    Attribute(name="crack", kind="yesno", values=("no", "yes")),
    Attribute(name="defects", kind="several", values=("dent", "hole"), unknown=True),
    Attribute(name="year", kind="number", mean=7.0, spread=1.0, low=7.0, high=7.0, unknown=True),
)
SPACE = LabelSpace(
    ("mono-no crack-dent", "po:ly-crack-defects?"),
    (1, 1),
    ATTRIBUTES,
    ("type=mono,age=20,crack=no,defects=dent,year=7", "type=po:ly,age=60,crack=yes,defects=,year="),
    (1, 1),
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("age=30:50:5", (30.0, 35.0, 40.0, 45.0, 50.0)),
        ("age=50:30:3", (50.0, 40.0, 30.0)),
        ("age", (20.0, 30.0, 40.0, 50.0, 60.0)),
        ("type=po\\:ly:mono", ("po:ly", "mono")),
        ("type", ("mono", "po:ly")),
        ("crack=1:no", ("yes", "no")),
        ("defects=hole;dent:dent:", (("dent", "hole"), ("dent",), None)),
        ("defects", (("dent",), ("hole",))),
    ],
)
def test_values_in_the_order_given(text: str, values: Sequence[object]) -> None:
    sweep, remarks = parse_sweep(SPACE, text)
    assert sweep.values == values
    assert remarks == []


def test_one_attribute_changes_and_no_other() -> None:
    sweep, _ = parse_sweep(SPACE, "age=30:40:2")
    assert sweep.rows(("mono", 20.0, "no", None, 7.0)) == [
        ("mono", 30.0, "no", None, 7.0),
        ("mono", 40.0, "no", None, 7.0),
    ]


def test_numbers_beyond_training_are_clipped_and_said() -> None:
    sweep, remarks = parse_sweep(SPACE, "age=0:80:5")
    np.testing.assert_array_equal(sweep.values, np.clip(np.linspace(0, 80, 5), 20, 60))
    assert remarks == [
        "`vary` age=0: training saw 20 to 60, 20 is taken",
        "`vary` age=80: training saw 20 to 60, 60 is taken",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tpye=mono", "no such attribute, did you mean 'type'?"),
        ("type=mon:po\\:ly", "did you mean 'mono'?"),
        ("type=mono", "only one value, give 2 or more"),
        ("type=", "give a value"),
        ("type=mono=x:y", "give ATTRIBUTE=VALUE:VALUE"),
        ("age=20:60:1", "only one value, give 2 or more"),
        ("age=20:60:0", "only one value, give 2 or more"),
        ("age=20:60", "give FROM:TO:STEPS, such as age=20:60:5"),
        ("age=20:60:2.5", "give FROM:TO:STEPS, such as age=20:60:5"),
        ("age=nan:60:3", "give a number"),
        ("age=20:inf:3", "give a number"),
        ("year", "only one value, give 2 or more"),
        ("year=:7:3", "give a number for both ends"),
    ],
)
def test_what_is_no_sweep_is_one_line_on_the_option(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        parse_sweep(SPACE, text)
    assert message in str(error.value)
    assert str(error.value).startswith("`vary` ")
    assert "\n" not in str(error.value)


def test_flat_classes_are_one_attribute() -> None:
    sweep, _ = parse_sweep(LabelSpace(("a", "b", "c"), (1, 1, 1)), "class=c:a")
    assert sweep.rows(("b",)) == [("c",), ("a",)]
    with pytest.raises(UserError, match="trained without labels"):
        parse_sweep(LabelSpace((), ()), "class")


def test_a_label_for_each_value() -> None:
    assert [SPACE.named(label) for label in labels_by(SPACE, "type")] == [{"type": "mono"}, {"type": "po:ly"}]
    assert [SPACE.named(label) for label in labels_by(SPACE, "defects")] == [
        {"defects": ("dent",)},
        {"defects": ("hole",)},
    ]
    with pytest.raises(UserError, match=r"`by` age: it is a number.*\('type', 'crack', 'defects'\)"):
        labels_by(SPACE, "age")
    with pytest.raises(UserError, match="did you mean 'type'"):
        labels_by(SPACE, "typ")
