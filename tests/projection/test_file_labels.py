"""The labels of files that are projected: by rows of tables, by folders."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.errors import UserError
from stylegan_ada.labels.attribute import CATEGORY, NUMBER, SEVERAL, Attribute
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.projection.file_labels import FileLabels
from stylegan_ada.projection.inputs import read_inputs
from stylegan_ada.projection.latents import class_name

FLAT = LabelSpace(("cat", "dog"), (1, 1))
SEVERAL_ATTRIBUTES = LabelSpace(
    ("mono-dent", "poly-dent+hole"),
    (2, 1),
    (
        Attribute(name="type", kind=CATEGORY, values=("mono", "poly")),
        Attribute(name="degree", kind=NUMBER, unknown=True, mean=0.5, spread=0.5, low=0, high=1),
        Attribute(name="defects", kind=SEVERAL, values=("dent", "hole")),
    ),
    ("type=mono,degree=1,defects=dent", "type=poly,degree=,defects=dent;hole"),
    (2, 1),
)


def images(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / name)


def labels(space: LabelSpace, *paths: Path) -> dict[str, str]:
    inputs = read_inputs(paths, (1, 8, 8), space, None, Preparation())
    return {item.name: item.label for item in inputs.items}


def test_a_row_says_the_class(tmp_path: Path) -> None:
    images(tmp_path, "dog/a.png", "b.png", "c.png")
    (tmp_path / "labels.csv").write_text("file,label\ndog/a.png,cat\nb.png,dog\nc.png,eel\n")
    assert labels(FLAT, tmp_path) == {"a": "cat", "b": "dog", "c": ""}  # there is no eel
    assert read_inputs([tmp_path], (1, 8, 8), FLAT, None, Preparation()).labels_of_rows == 2
    assert labels(FLAT, tmp_path / "dog") == {"a": "cat"}
    assert labels(FLAT, tmp_path / "dog" / "a.png", tmp_path / "b.png") == {"a": "cat", "b": "dog"}
    (tmp_path / "labels.csv").unlink()
    (tmp_path / "dataset.json").write_text(
        json.dumps({"labels": [["dog/a.png", "cat"], ["b.png", "dog"], ["c.png", "dog"]]})
    )
    assert labels(FLAT, tmp_path) == {"a": "cat", "b": "dog", "c": "dog"}
    (tmp_path / "dataset.json").unlink()
    assert labels(FLAT, tmp_path) == {"a": "dog", "b": "", "c": ""}


def test_a_row_says_the_attributes(tmp_path: Path) -> None:
    images(tmp_path, "a.png", "b.png", "c.png")
    (tmp_path / "labels.csv").write_text(
        "file,degree,type,defects\na.png,0.25,mono,hole;dent\nb.png,,poly,dent\nc.png,7,thin,dent\n"
    )
    expected = {
        "a": "type=mono,degree=0.25,defects=dent;hole",
        "b": "type=poly,degree=,defects=dent",
        "c": "degree=7,defects=dent",  # there is no type thin: it is drawn
    }
    assert labels(SEVERAL_ATTRIBUTES, tmp_path) == expected
    (tmp_path / "labels.csv").unlink()
    rows = [
        ["a.png", {"type": "mono", "degree": 0.25, "defects": ["hole", "dent"]}],
        ["b.png", {"type": "poly", "degree": None, "defects": ["dent"]}],
        ["c.png", {"type": "thin", "degree": 7, "defects": ["dent"]}],
    ]
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": rows}))
    assert labels(SEVERAL_ATTRIBUTES, tmp_path) == expected


def test_a_row_s_class_says_values(tmp_path: Path) -> None:
    images(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("file,label\na.png,poly-dent+hole\nb.png,poly\n")
    assert labels(SEVERAL_ATTRIBUTES, tmp_path) == {"a": "type=poly,defects=dent;hole", "b": "type=poly"}


def test_folders_say_values(tmp_path: Path) -> None:
    images(tmp_path, "mono/x/dent/a.png", "poly-dent+hole/b.png", "poly/mono/c.png", "x/d.png", "degree=0.5/e.png")
    found = labels(SEVERAL_ATTRIBUTES, tmp_path)
    assert [*found] == ["e", "c", "a", "b", "d"]  # by their texts, without a label last
    assert found == {
        "a": "type=mono,defects=dent",
        "b": "type=poly,defects=dent;hole",
        "c": "type=mono",  # the innermost
        "d": "",
        "e": "degree=0.5",
    }


def test_a_wrong_table_is_said(tmp_path: Path) -> None:
    images(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("file,label\na.png,cat\nc.png,cat\n")
    with pytest.raises(UserError, match=r"names 1 images that are not there .*; or give `label`"):
        labels(FLAT, tmp_path)
    assert FileLabels(LabelSpace((), ()), Preparation()).of(tmp_path / "a.png", ["cat"]) == ""


def test_the_class_of_a_label() -> None:
    known = {
        "type=mono,degree=1,defects=dent": "mono-dent",
        "type=mono,defects=hole": "mono-hole",
        "type=poly,degree=0.5": "poly",
        "mono-dent": "mono-dent",
        "another": "another",
        "": "",
    }
    assert {label: class_name(SEVERAL_ATTRIBUTES, label) for label in known} == known
    assert class_name(FLAT, "type=mono") == "type=mono"


def test_a_table_further_up_that_is_about_something_else_is_left_alone(tmp_path: Path) -> None:
    """A given folder's own table must be right; what lies above it need not be one of labels."""
    images(tmp_path / "mine", "cat/a.png")
    (tmp_path / "dataset.json").write_text('{"name": "x"}')
    assert labels(FLAT, tmp_path / "mine") == {"a": "cat"}
    (tmp_path / "dataset.json").unlink()
    (tmp_path / "labels.csv").write_text("file,label\nother.png,dog\n")
    assert labels(FLAT, tmp_path / "mine" / "cat" / "a.png") == {"a": "cat"}
    with pytest.raises(UserError, match="or give `label`"):
        labels(FLAT, tmp_path)


def test_images_without_a_row_go_by_their_folder(tmp_path: Path) -> None:
    images(tmp_path, "cat/a.png", "cat/b.png", "dog/c.png")
    (tmp_path / "labels.csv").write_text("file,label\ncat/a.png,dog\n")
    assert labels(FLAT, tmp_path) == {"a": "dog", "b": "cat", "c": "dog"}


def test_some_of_the_attributes_in_a_table(tmp_path: Path) -> None:
    images(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("file,type,note\na.png,mono,x\nb.png,poly,y\n")
    assert labels(SEVERAL_ATTRIBUTES, tmp_path) == {"a": "type=mono", "b": "type=poly"}


def test_a_number_that_is_clipped_is_said(tmp_path: Path) -> None:
    images(tmp_path, "a.png")
    (tmp_path / "labels.csv").write_text("file,degree\na.png,7\n")
    inputs = read_inputs([tmp_path], (1, 8, 8), SEVERAL_ATTRIBUTES, None, Preparation())
    assert inputs.remarks == ("`label` degree=7: training saw 0 to 1, 1 is taken",)
