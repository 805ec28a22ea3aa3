import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.projection.coverage import Coverage, spread
from stylegan_ada.projection.folder import Record, ResultFolder
from stylegan_ada.projection.inputs import read_inputs
from stylegan_ada.projection.summary import MOST_ROWS, summarise, write_projection_sheet, write_table


def record(label: str, perceptual: float, untuned: float | None = None) -> Record:
    return Record(f"{label}.png", label, "", perceptual, perceptual if untuned is None else untuned, 20.0, 0.5)


def test_beyond_the_largest_distance_of_known_images_is_not_covered(tmp_path: Path) -> None:
    coverage = Coverage((0.1, 0.4, 0.2), "held-out images")
    assert coverage.limit == 0.4
    records = {
        "a": record("crack", 0.4),
        "b": record("crack", 0.41),
        "c": record("good", 0.05),
        "d": record("crack", 0.05, untuned=0.9),  # well after tuning, but not the generator's own
    }
    write_table(tmp_path / "t.csv", records, coverage)
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["covered"] for row in rows] == ["yes", "no", "yes", "no"]
    lines = summarise(records, coverage, LabelSpace((), ())).splitlines()
    assert lines[1].split() == ["crack", "3", "0.4", "2", "b", "(0.41),", "a", "(0.4),", "d", "(0.05)"]
    assert lines[2].split() == ["good", "1", "0.05", "0", "c", "(0.05)"]
    assert "above 0.4, the largest of 3 held-out images" in lines[3]
    assert summarise(records, None, LabelSpace((), ())).splitlines()[1].split()[3] == "-"


@pytest.mark.parametrize("count", [3, 32, 33, 100])
def test_known_images_are_spread_evenly(count: int) -> None:
    chosen = spread(np.arange(count), 32)
    assert len(chosen) == min(count, 32) == len(set(chosen))
    assert np.diff(chosen).max() - np.diff(chosen).min() <= 1
    assert chosen[0] == 0


def test_the_sheet_is_capped_and_begins_with_the_worst(tmp_path: Path) -> None:
    folder = ResultFolder(tmp_path)
    records = {}
    for index in range(MOST_ROWS + 5):
        records[f"i{index}"] = record("a", index / 100)
        Image.new("RGB", (192, 64), (index, 0, 0)).save(tmp_path / f"i{index}.png")
    write_projection_sheet(folder, records, None)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[0] == MOST_ROWS * 64
    assert sheet[::64, -1, 0].tolist() == list(range(MOST_ROWS + 4, 4, -1))


def test_names_are_safe_and_unique(tmp_path: Path) -> None:
    for name in ("a/x.png", "b/x.png", "a/X.PNG", "b/sheet.png", "b/..p q$.png", "a/" + "n" * 99 + ".png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8)).save(tmp_path / name)
    inputs = read_inputs([tmp_path, tmp_path / "a/x.png"], (1, 8, 8), LabelSpace(("a",), (1,)), None, Preparation())
    names = [item.name for item in inputs.items]
    assert len(names) == 6 - 1  # the hidden file is none of them
    assert len({name.lower() for name in names}) == len(names)
    assert "sheet" not in names
    assert max(map(len, names)) == 50
    assert [item.label for item in inputs.items] == ["a"] * 3 + [""] * 2
    assert set(inputs.images) == set(names)
    assert not inputs.skipped
    assert inputs.converted == 0
