"""Attributes in the packed set."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stylegan_ada.config.attributes import parse_attributes
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.packing import pack

TABLE = "file,kind,degree,marks\n0.png,x,1,a;b\n1.png,y,3,b\n2.png,x,,\n3.png,y,2,a\n4.png,z,99,c\n"


@pytest.fixture
def table(save: Callable[..., np.ndarray], tmp_path: Path) -> Path:
    for index in range(5):
        save(f"{index}.png", mode="L")
    (tmp_path / "set/labels.csv").write_text(TABLE)
    (tmp_path / "set/4.png").write_bytes((tmp_path / "set/4.png").read_bytes()[:50])
    return tmp_path / "set"


def test_of_images_that_cannot_be_read_nothing_is_left(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preparation = Preparation(attributes=parse_attributes("kind,degree:number,marks"))
    found = load_dataset(str(table), preparation)
    assert [name for name, _ in found.skipped] == ["4.png"]
    kind, degree, marks = found.attributes
    assert (kind.values, marks.values) == (("x", "y"), ("a", "b"))
    assert (degree.mean, degree.low, degree.high) == (2, 1, 3)
    assert found.rows == (("x", 1.0, ("a", "b")), ("y", 3.0, ("b",)), ("x", None, None), ("y", 2.0, ("a",)))
    assert found.classes == ("x-a+b", "x-marks?", "y-a", "y-b")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 3, 1, 2]
    spread = np.sqrt(2 / 3)
    expected = [
        [1, 0, -1 / spread, 1, 0, 1, 1, 0],
        [0, 1, 1 / spread, 1, 0, 0, 1, 0],
        [1, 0, 0, 0, 1, 0, 0, 1],
        [0, 1, 0, 1, 0, 1, 0, 0],
    ]
    np.testing.assert_allclose(found.label_vectors(range(4)), expected, atol=1e-6)
    assert found.c_dim == 8
    monkeypatch.setattr(pack, "pack", None)
    again = load_dataset(str(table), preparation)
    assert (again.attributes, again.rows) == (found.attributes, found.rows)


def test_the_fingerprint_knows_values(table: Path) -> None:
    preparation = Preparation(attributes=parse_attributes("kind,degree:number"))
    first = load_dataset(str(table), preparation)
    (table / "labels.csv").write_text(TABLE.replace("y,3", "y,4"))
    second = load_dataset(str(table), preparation)
    assert first.classes == second.classes
    assert first.fingerprint != second.fingerprint


def test_flat_sets_are_as_they_were(table: Path) -> None:
    (table / "labels.csv").write_text("file,label\n0.png,x\n1.png,y\n2.png,x\n3.png,y\n4.png,x\n")
    found = load_dataset(str(table), Preparation())
    assert (found.attributes, found.rows, found.classes) == ((), (), ("x", "y"))
    pixels = hashlib.sha256(np.ascontiguousarray(found.images).tobytes()).hexdigest()
    told = [pixels, [1, 8, 8], "crop", [0, 1, 0, 1], ["x", "y"], ["0.png", "1.png", "2.png", "3.png"]]
    assert found.fingerprint == hashlib.sha256(json.dumps(told).encode()).hexdigest()
