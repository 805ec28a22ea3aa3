"""Sets made by a generator whose labels are attributes."""

import csv
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada import SyntheticDataset, load_generator, make_dataset
from stylegan_ada.config.attributes import parse_attributes
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset

NAMES = ("type", "degree", "crack", "defects")


def made(file: Path, out: Path, **options: Any) -> list[dict[str, str]]:
    """The manifest of a new set."""
    make_dataset(file, out, device="cpu", **({"say": lambda line: None} | options))
    with open(out / "manifest.csv", newline="") as table:
        return list(csv.DictReader(table))


def gray(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


def test_combinations_and_their_values(attribute_generator_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    rows = made(attribute_generator_file, out, count=10)
    assert list(rows[0]) == ["file", "seed", "label", "psi", *NAMES]
    assert Counter(row["label"] for row in rows) == {  # in the shares of training
        "mono-no crack-defects?": 4,
        "mono-crack-defects?": 2,
        "mono-crack-dent": 1,
        "poly-no crack-dent+hole": 3,
    }
    assert {tuple(row[name] for name in NAMES) for row in rows if row["label"].startswith("poly")} == {
        ("poly", "0.25", "no", "dent;hole")
    }
    facts = json.loads((out / "dataset.json").read_text())
    labels = dict(facts["labels"])
    assert labels[rows[0]["file"]] == {"type": "mono", "degree": 0.0, "crack": False, "defects": None}
    assert labels[rows[-1]["file"]] == {"type": "poly", "degree": 0.25, "crack": False, "defects": ["dent", "hole"]}
    assert facts["attributes"][:2] == [
        {"name": "type", "kind": "category", "values": ["mono", "poly"]},
        {"name": "degree", "kind": "number", "low": 0.0, "high": 1.0},
    ]
    assert "| degree | number | 0 to 1 |" in (out / "README.md").read_text()


def test_the_set_is_read_as_it_was_made(attribute_generator_file: Path, tmp_path: Path) -> None:
    rows = made(attribute_generator_file, tmp_path / "set", per_class=2)
    asked = parse_attributes("type,degree:number,crack:yesno,defects:several")
    back = load_dataset(str(tmp_path / "set"), Preparation(size=16, attributes=asked))
    by_file = {row["file"]: row for row in rows}
    assert len(back) == 8
    for name, values in zip(back.names, back.rows, strict=True):
        row = by_file[name]
        assert values[0] == row["type"]
        assert values[1] == pytest.approx(float(row["degree"]))
        assert values[2] == row["crack"]
        assert ";".join(values[3] or ()) == row["defects"]


def test_labels_that_name_some_attributes(attribute_generator_file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    out = tmp_path / "set"
    labels = ["crack=yes", "type=poly,degree=4"]
    rows = made(attribute_generator_file, out, per_class=40, label=labels, psi=["crack=yes=0.7"], say=said.append)
    assert sorted(name for name in os.listdir(out) if (out / name).is_dir()) == labels
    assert Counter((row["label"], row["psi"]) for row in rows) == {(labels[0], "0.7"): 40, (labels[1], "1.0"): 40}
    assert {row["degree"] for row in rows if row["label"] == "crack=yes"} == {"0.5", "1"}
    assert {row["degree"] for row in rows if row["label"] != "crack=yes"} == {"1"}
    assert "warning: `label` degree=4: training saw 0 to 1, 1 is taken" in said
    facts = json.loads((out / "dataset.json").read_text())
    assert facts["kinds"] == labels
    assert [one["images"] for one in facts["per_class"]] == [40, 40]
    generator = load_generator(attribute_generator_file)
    for row in rows[::25]:
        label = ",".join(f"{name}={row[name]}" for name in NAMES)
        alone = generator.sample([int(row["seed"])], [label], float(row["psi"]))[0, :, :, 0]
        assert np.abs(gray(out / row["file"]) - alone).max() <= 1


def test_as_many_of_each_value(attribute_generator_file: Path, tmp_path: Path) -> None:
    rows = made(attribute_generator_file, tmp_path / "set", per_class=5, by="crack")
    assert Counter(row["crack"] for row in rows) == {"no": 5, "yes": 5}
    assert len({row["seed"] for row in rows}) == 10


def test_combinations_are_filled_up(attribute_generator_file: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    cells = [("mono", "yes", "dent")] * 3 + [("poly", "no", "dent;hole")]
    lines = ["file,type,degree,crack,defects"]
    for index, (kind, crack, defects) in enumerate(cells):
        Image.fromarray(np.full((16, 16), 9 * index, np.uint8)).save(few / f"{index}.png")
        lines.append(f"{index}.png,{kind},{index / 4},{crack},{defects}")
    (few / "labels.csv").write_text("\n".join(lines) + "\n")
    rows = made(attribute_generator_file, tmp_path / "set", balance_with=str(few))
    assert Counter(row["label"] for row in rows) == {"poly-no crack-dent+hole": 2}


def test_the_torch_dataset_has_their_values(attribute_generator_file: Path, tmp_path: Path) -> None:
    rows = made(attribute_generator_file, tmp_path / "set", per_class=33)
    dataset = SyntheticDataset(attribute_generator_file, per_class=33)
    for index in (0, 32, 33, 131):
        image, label = dataset[index]
        assert dataset.classes[label] == rows[index]["label"]
        assert np.abs(image[0].numpy().astype(int) - gray(tmp_path / "set" / rows[index]["file"])).max() <= 1
        values = dataset.values(index)
        assert list(values) == list(NAMES)
        row = rows[index]
        assert (values["type"], values["degree"]) == (row["type"], float(row["degree"]))
        assert values["crack"] is (row["crack"] == "yes")
        assert ";".join(values["defects"] or ()) == row["defects"]
