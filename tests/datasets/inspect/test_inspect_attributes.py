import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from stylegan_ada.config.attributes import parse_attributes
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets.inspect.attributes import AttributeCounts
from stylegan_ada.datasets.inspect.inspection import inspect_source

TABLE = """file,type,crack,degree,marks
0.png,mono,yes,1,a;b
1.png,poly,no,3,b
2.png,mono,no,,
3.png,poly,no,2,a
4.png,thin,yes,99,c
"""


@pytest.fixture
def table(save: Callable[..., np.ndarray], tmp_path: Path) -> Path:
    for index in range(5):
        save(f"{index}.png", mode="L")
    (tmp_path / "set/labels.csv").write_text(TABLE)
    (tmp_path / "set/4.png").write_bytes((tmp_path / "set/4.png").read_bytes()[:50])
    return tmp_path / "set"


def test_combinations_and_values_of_readable_images(table: Path) -> None:
    attributes = parse_attributes("type,crack:yesno,degree:number,marks")
    found = inspect_source(str(table), Preparation(attributes=attributes))
    assert found.classes == {
        "mono-no crack-marks?": 1,
        "mono-crack-a+b": 1,
        "poly-no crack-a": 1,
        "poly-no crack-b": 1,
    }
    assert found.empty_combinations == ["poly-crack"]
    assert found.attributes == [
        AttributeCounts("type", "category", {"mono": 2, "poly": 2}, 0),
        AttributeCounts("crack", "yesno", {"no": 3, "yes": 1}, 0),
        AttributeCounts("degree", "number", {}, 1, 1.0, 2.0, 3.0),
        AttributeCounts("marks", "several", {"a": 2, "b": 2}, 1),
    ]
    assert found.labels_refused is None
    assert not [line for line in found.warnings if line.startswith("class ")]
    json.dumps(asdict(found))


def test_a_table_without_classes_goes_on_with_the_proposal(table: Path) -> None:
    found = inspect_source(str(table))
    assert found.proposed == "type,crack:yesno,degree,marks:several"
    assert found.attributes is not None
    assert len(found.attributes) == 4
    assert f"no column of the table holds classes: it is taken as `attributes` {found.proposed}" in found.notes


def test_columns_beside_classes_could_be_attributes(table: Path) -> None:
    lines = TABLE.splitlines()
    rows = [f"{line},{'good' if index % 2 else 'bad'}" for index, line in enumerate(lines[1:])]
    (table / "labels.csv").write_text("\n".join([lines[0] + ",label", *rows]))
    found = inspect_source(str(table))
    assert (
        "columns type, crack, degree, marks, label could be attributes: "
        "`attributes` type,crack:yesno,degree,marks:several,label"
    ) in found.notes
    assert (found.attributes, found.proposed, found.empty_combinations) == (None, None, [])


@pytest.mark.parametrize(
    ("joint", "line"),
    [
        (
            "-",
            "names of classes such as 'mono-0' have 2 parts, which could be attributes: `attributes` part1,part2 "
            "`split_names` - (choose their names)",
        ),
        ("/", "2 levels of folders could be attributes: `attributes` part1,part2 (choose their names)"),
    ],
)
def test_names_and_folders(save: Callable[..., np.ndarray], tmp_path: Path, joint: str, line: str) -> None:
    for kind in ("mono", "poly"):
        for degree in "0123":
            save(f"{kind}{joint}{degree}/1.png", mode="L")
    assert line in inspect_source(str(tmp_path / "set")).notes
    asked = Preparation(attributes=parse_attributes("a,b"), split_names="-" if joint == "-" else None)
    found = inspect_source(str(tmp_path / "set"), asked)
    assert len(found.classes or ()) == 8
    assert found.notes == []
