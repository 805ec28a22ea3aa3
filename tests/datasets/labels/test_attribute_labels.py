"""Attributes from tables, dataset.json, folders and the names of classes."""

import json
from pathlib import Path

import numpy as np
import pytest

from stylegan_ada.config.attributes import parse_attributes
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets.labels.attribute_labels import read_attributes
from stylegan_ada.datasets.labels.labelling import Labelling, label_warnings, read_labels, require_two_each
from stylegan_ada.datasets.labels.tables import NoColumns
from stylegan_ada.datasets.reading.sources import open_source
from stylegan_ada.errors import UserError

TABLE = """file,type,degree,crack,defects,group
a.png,mono, 0.67,Yes,scratch; dent,p
b.png,poly,,0.0,dent,p
c.png,mono,-2,n,,q
d.png,,1e1,TRUE,dent;scratch;dent,q
"""
ASKED = "type,degree:number,crack:yesno,defects"


def _read(
    root: Path, asked: str, files: tuple[str, ...] = (), table: str = "", name: str = "labels.csv", **options: str
) -> Labelling:
    for file in files or ("a.png", "b.png", "c.png", "d.png"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    if table:
        (root / name).write_text(table)
    with open_source(str(root)) as source:
        return read_attributes(source, Preparation(attributes=parse_attributes(asked), **options))


def test_columns_of_a_table(tmp_path: Path) -> None:
    found = _read(tmp_path, ASKED, table=TABLE)
    assert found.row_of == {
        "a.png": ("mono", 0.67, "yes", ("dent", "scratch")),
        "b.png": ("poly", None, "no", ("dent",)),
        "c.png": ("mono", -2.0, "no", None),
        "d.png": (None, 10.0, "yes", ("dent", "scratch")),
    }
    kind, degree, crack, defects = found.attributes
    assert [one.kind for one in found.attributes] == ["category", "number", "yesno", "several"]
    assert (kind.values, crack.values, defects.values) == (("mono", "poly"), ("no", "yes"), ("dent", "scratch"))
    assert [one.unknown for one in found.attributes] == [True, True, False, True]
    numbers = np.array([0.67, -2, 10])
    assert (degree.low, degree.high) == (-2, 10)
    assert degree.mean == pytest.approx(numbers.mean(), rel=1e-12)
    assert degree.spread == pytest.approx(numbers.std(), rel=1e-12)
    assert found.groups == {"a.png": "p", "b.png": "p", "c.png": "q", "d.png": "q"}


def test_classes_are_combinations_without_numbers(tmp_path: Path) -> None:
    found = _read(tmp_path, ASKED, table=TABLE)
    assert found.classes == (
        "mono-no crack-defects?",
        "mono-crack-dent+scratch",
        "poly-no crack-dent",
        "type?-crack-dent+scratch",
    )
    assert [found.class_of(f"{name}.png") for name in "acbd"] == [found.classes[place] for place in (1, 0, 2, 3)]
    require_two_each(["a.png"], found)  # combinations with one image, or none, are no error
    assert _read(tmp_path, "degree:number").classes == ("all",)


def test_combinations_of_one_name_get_long_ones(tmp_path: Path) -> None:
    table = "file,x,y\na.png,a-b,c\nb.png,a,b-c\nc.png,a,c\nd.png,a,c\n"
    assert _read(tmp_path, "x,y", table=table).classes == ("x=a,y=b-c", "x=a,y=c", "x=a-b,y=c")


def test_a_category_takes_text_whole(tmp_path: Path) -> None:
    found = _read(tmp_path, "defects:category", table=TABLE)
    assert found.attributes[0].values == ("dent", "dent;scratch;dent", "scratch; dent")


def test_what_looks_the_same_is_one_value_and_values_are_in_order(tmp_path: Path) -> None:
    table = "file,x\na.png,10\nb.png, 2\nc.png,2 \nd.png,0.5\n"
    assert _read(tmp_path, "x", table=table).attributes[0].values == ("0.5", "2", "10")
    table = "file,x\na.png,\u00e4\nb.png,a\u0308\nc.png,b\nd.png,B\n"
    found = _read(tmp_path, "x", table=table)
    assert found.attributes[0].values == ("B", "b", "\u00e4")
    assert [note for note in found.notes if "look the same: they are one value" in note]
    assert label_warnings(found) == [
        "attribute 'x': values 'B' and 'b' differ only by case or blanks: give them one name if they are one",
        "attribute 'x': 'B' and 1 other values have one image only",
    ]


def test_of_some_images_only_their_values_are_left(tmp_path: Path) -> None:
    kind, degree, _, defects = _read(tmp_path, ASKED, table=TABLE).only(["a.png", "b.png", "c.png"]).attributes
    assert not kind.unknown
    assert defects.unknown
    assert (degree.low, degree.high) == (-2, 0.67)
    table = "file,x,n\na.png,p,1\nb.png,q,3\nc.png,r,8\nd.png,q,3\n"
    left = _read(tmp_path, "x,n:number", table=table).only(["a.png", "b.png", "d.png"])
    assert left.attributes[0].values == left.classes == ("p", "q")
    assert (left.attributes[1].low, left.attributes[1].high) == (1, 3)
    with pytest.raises(UserError, match="one value only, 'q'"):
        left.only(["b.png", "d.png"])


@pytest.mark.parametrize(
    ("asked", "cells", "words"),
    [
        ("y", "1234", "`attributes` y: labels.csv has no such column, "),
        ("x:yesno", ("yes", "no", "maybe", "0"), "1 of 4 cells are not yes or no (first: 'maybe', labels.csv line 4)"),
        ("x:number", ("1", "3,5", "2", "4"), "(first: '3,5', labels.csv line 3): write 3.5"),
        ("x:number", ("1", "two", "three", ""), "2 of 4 cells are not numbers (first: 'two', labels.csv line 3)"),
        ("x:number", ("1", "nan", "2", "3"), "first: 'nan', labels.csv line 3): write finite numbers"),
        ("x:number", ("1", "-inf", "2", "3"), "first: '-inf'"),
        ("x:number", ("1", "1_0", "2", "3"), "first: '1_0'"),
        ("x:number", ("2", "2.0", "2e0", ""), "one value only, 2, and there is nothing to learn: leave it out"),
        ("x:number", ("1e200", "2", "3", "4"), "too large or too close to tell apart"),
        ("x:yesno", ("yes", "", "1", ""), "one value only, 'yes', and there is nothing to learn: leave it out"),
        ("x", ("a", "a", "a", "a"), "one value only, 'a'"),
        ("x", ("a;a", "a", "a", "a"), "one value only, 'a'"),
        ("x", ("", " ", "", ""), "attribute 'x' is empty throughout"),
        ("x", ("a" * 256, "b", "c", "d"), "give text of at most 255 characters"),
    ],
)
def test_cells_that_do_not_fit(tmp_path: Path, asked: str, cells: tuple[str, ...], words: str) -> None:
    rows = [f'{name}.png,"{cell}"\n' for name, cell in zip("abcd", cells, strict=True)]
    with pytest.raises(UserError) as error:
        _read(tmp_path, asked, table="file,x\n" + "".join(rows))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_too_many_values(tmp_path: Path) -> None:
    files = tuple(f"{index}.png" for index in range(1001))
    table = "file,x\n" + "".join(f"{file},{file}\n" for file in files)
    with pytest.raises(UserError, match="1001 values, more than 1000: if it is a number write x:number"):
        _read(tmp_path, "x", files=files, table=table)


def test_objects_of_json(tmp_path: Path) -> None:
    labels = [
        ["a.png", {"type": "mono", "degree": 0.67, "crack": True, "defects": ["scratch", "dent"]}],
        ["b.png", {"type": "poly", "degree": None, "crack": False, "defects": ["dent"]}],
        ["c.png", {"type": "mono", "degree": -2, "crack": False, "defects": []}],
        ["d.png", {"degree": 10, "crack": True, "defects": ["dent", "scratch"]}],
    ]
    content = json.dumps({"labels": labels})
    found = _read(tmp_path / "json", ASKED, table=content, name="dataset.json")
    assert found.row_of == _read(tmp_path / "csv", ASKED, table=TABLE).row_of
    with open_source(str(tmp_path / "json")) as source:
        flat = read_labels(source, Preparation())
    assert flat is not None
    assert set(flat.classes) == set(found.classes)
    assert flat.attributes == ()
    lines = "".join(json.dumps({"file_name": name, **label}) + "\n" for name, label in labels)
    assert _read(tmp_path / "hf", ASKED, table=lines, name="metadata.jsonl").row_of == found.row_of


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([["a.png", "x"], ["b.png", "y"]], "label 'x' is no object"),
        (None, "labels are null"),
        ([["a.png", {"tpe": "x"}], ["b.png", {"tpe": "y"}]], "no such key, did you mean 'tpe'?"),
    ],
)
def test_json_without_the_attributes(tmp_path: Path, labels: object, words: str) -> None:
    with pytest.raises(NoColumns) as error:
        _read(tmp_path, "type", ("a.png", "b.png"), json.dumps({"labels": labels}), "dataset.json")
    assert words in str(error.value)


def test_levels_of_folders(tmp_path: Path) -> None:
    files = ("all/train/mono/0.5/deep/1.png", "all/train/poly/10/1.png", "all/test/mono/2/1.png")
    found = _read(tmp_path, "type,degree:number", files)
    assert found.row_of == dict(
        zip([file.removeprefix("all/") for file in files], [("mono", 0.5), ("poly", 10.0), ("mono", 2.0)], strict=True)
    )
    with pytest.raises(UserError, match=r"1 of 4 images lie in fewer than 2 .first: 'train/mono/0.png'"):
        _read(tmp_path, "type,degree:number", (*files, "all/train/mono/0.png"))


def test_parts_of_class_names(tmp_path: Path) -> None:
    files = ("mono-0.67/a.png", "poly-0/b.png", "mono-1/c.png")
    expected = [("mono", 0.67), ("poly", 0.0), ("mono", 1.0)]
    found = _read(tmp_path / "folders", "type,degree:number", files, split_names="-")
    assert found.row_of == dict(zip(files, expected, strict=True))
    table = "id,dx\na.png,mono__0.67\nb.png,poly__0\nc.png,mono__1\n"
    files = ("a.png", "b.png", "c.png")
    found = _read(tmp_path / "table", "type,degree:number", files, table, label_column="dx", split_names="__")
    assert found.row_of == dict(zip(files, expected, strict=True))
    for asked, count in (("type", 1), ("a,b,c", 3)):
        with pytest.raises(UserError, match=f"class 'mono-0.67' has 2 parts, and `attributes` names {count}"):
            _read(tmp_path / "folders", asked, ("mono-1/c.png",), split_names="-")
    with pytest.raises(UserError, match="have no classes"):
        _read(tmp_path / "none", "a,b", split_names="-")


@pytest.mark.parametrize("twice", ["type", "file"])
def test_a_column_that_is_there_twice_is_refused(tmp_path: Path, twice: str) -> None:
    """csv.DictReader would take the last."""
    table = f"file,type,{twice}\na.png,mono,x\nb.png,poly,y\nc.png,mono,z\nd.png,poly,x\n"
    with pytest.raises(UserError, match=f"labels.csv has 2 columns '{twice}': give them names of their own"):
        _read(tmp_path, "type", table=table)


def test_a_column_of_classes_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "labels.csv").write_text("file,label,label\na.png,x,y\n")
    with open_source(str(tmp_path)) as source, pytest.raises(UserError, match="has 2 columns 'label'"):
        read_labels(source, Preparation())
