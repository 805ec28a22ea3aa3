"""`generate images` of a generator whose labels are attributes."""

import csv
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.stats import chisquare

from stylegan_ada import load_generator

NAMES = ("type", "degree", "crack", "defects")


@pytest.fixture
def images(command: Callable[..., Any], attribute_generator_file: Path, tmp_path: Path) -> Callable[..., Any]:
    """Runs `generate images`; gives the folder, the manifest and what was said on stderr."""

    def run(*options: str | int) -> tuple[Path, list[dict[str, str]], str]:
        out = tmp_path / f"out{len(os.listdir(tmp_path))}"
        result = command("generate", "images", attribute_generator_file, "--out", out, "--device", "cpu", *options)
        assert result.code == 0, result
        with open(out / "manifest.csv", newline="") as file:
            return out, list(csv.DictReader(file)), result.err

    return run


def label_of(row: dict[str, str]) -> str:
    return ",".join(f"{name}={row[name]}" for name in NAMES)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


def test_whole_labels_are_drawn_in_the_shares_of_training(images: Callable[..., Any]) -> None:
    out, rows, _ = images("--count", 400)
    assert list(rows[0]) == ["file", "seed", "label", "psi", *NAMES]
    counts = Counter(label_of(row) for row in rows)
    shares = {
        "type=mono,degree=0,crack=no,defects=": 0.4,
        "type=mono,degree=0.5,crack=yes,defects=": 0.2,
        "type=mono,degree=1,crack=yes,defects=dent": 0.1,
        "type=poly,degree=0.25,crack=no,defects=dent;hole": 0.3,
    }
    assert set(counts) == set(shares)
    assert chisquare([counts[one] for one in shares], [400 * share for share in shares.values()]).pvalue > 0.001
    written = {path.relative_to(out).as_posix() for path in out.glob("*/*.png")}
    assert {f"{row['label'].replace('?', '_')}/seed{int(row['seed']):010d}.png" for row in rows} == written


def test_what_a_label_does_not_name_comes_from_images_that_have_it(
    images: Callable[..., Any], attribute_generator_file: Path
) -> None:
    out, rows, err = images("--count", 60, "--label", "crack=yes")
    assert "warning" not in err
    counts = Counter(row["degree"] for row in rows)
    assert {row["crack"] for row in rows} == {"yes"}
    assert set(counts) == {"0.5", "1"}
    assert chisquare([counts["0.5"], counts["1"]], [40, 20]).pvalue > 0.001  # 20 to 10 in training
    generator = load_generator(attribute_generator_file)
    for row in rows[::20]:
        alone = generator.sample([int(row["seed"])], [label_of(row)])[0, :, :, 0]
        assert np.abs(pixels(out / row["file"]) - alone).max() <= 1


def test_a_class_by_name_or_by_values_alone_and_one_that_training_never_saw(images: Callable[..., Any]) -> None:
    _, rows, _ = images("--count", 3, "--label", "mono-crack-dent")
    assert {(row["label"], row["degree"]) for row in rows} == {("mono-crack-dent", "1")}
    _, rows, _ = images("--count", 3, "--label", "poly")
    assert {row["label"] for row in rows} == {"poly-no crack-dent+hole"}
    out, rows, _ = images("--count", 3, "--label", "type=poly,crack=yes,defects=hole")
    assert {row["label"] for row in rows} == {"poly-crack-hole"}
    assert len(os.listdir(out / "poly-crack-hole")) == 3


def test_a_number_beyond_training_is_clipped_with_a_warning(images: Callable[..., Any]) -> None:
    _, rows, err = images("--count", 2, "--label", "degree=7")
    assert "warning: --label degree=7: training saw 0 to 1, 1 is taken\n" in err
    assert {row["degree"] for row in rows} == {"1"}


def test_vary_moves_one_attribute_alone(images: Callable[..., Any], attribute_generator_file: Path) -> None:
    out, rows, err = images("--seeds", "3-5", "--vary", "degree=0.2:0.8:4", "--label", "type=mono", "--psi", "0.7")
    assert "warning" not in err
    assert sorted(os.listdir(out)) == [
        "grid.png",
        "manifest.csv",
        *[f"seed000000000{seed}-{step}.png" for seed in (3, 4, 5) for step in range(4)],
    ]
    assert [row["file"] for row in rows] == sorted(row["file"] for row in rows)
    assert [row["degree"] for row in rows] == ["0.2", "0.4", "0.6", "0.8"] * 3
    generator = load_generator(attribute_generator_file)
    for seed in (3, 4, 5):
        own = [row for row in rows if row["seed"] == str(seed)]
        drawn = generator.labels.text(generator.label_rows([seed], ["type=mono"])[0])
        assert len({(row["type"], row["crack"], row["defects"]) for row in own}) == 1
        assert drawn.split(",")[0::2] == label_of(own[0]).split(",")[0::2]
        made = np.stack([pixels(out / row["file"]) for row in own])
        alone = generator.sample([seed] * 4, [label_of(row) for row in own], 0.7)[..., 0]
        assert np.abs(made - alone).max() <= 1
        assert np.abs(made[0] - made[3]).max() > 1
    with Image.open(out / "grid.png") as picture:
        assert picture.size[1] == 3 * 64


def test_vary_over_all_values_and_beyond_them(images: Callable[..., Any]) -> None:
    _, rows, _ = images("--count", 1, "--vary", "type")
    assert [row["type"] for row in rows] == ["mono", "poly"]
    _, rows, err = images("--count", 1, "--vary", "degree=0:2:3")
    assert [row["degree"] for row in rows] == ["0", "1", "1"]
    assert "warning: --vary degree=2: training saw 0 to 1, 1 is taken" in err


def test_the_grid_has_a_row_for_each_value(
    command: Callable[..., Any], attribute_generator_file: Path, tmp_path: Path
) -> None:
    line = ["generate", "grid", attribute_generator_file, "--out", tmp_path / "grid.png", "--columns", 2]
    assert command(*line).code == 0
    with Image.open(tmp_path / "grid.png") as picture:
        # two types, no crack and crack, two defects, and four numbers: sixteen rows shared by four attributes
        assert picture.size[1] == (2 + 4 + 2 + 2) * 64


def test_balanced_by_one_attribute(images: Callable[..., Any]) -> None:
    _, rows, _ = images("--count", 20, "--balanced", "--by", "crack")
    assert Counter(row["crack"] for row in rows) == {"no": 10, "yes": 10}
    assert {row["degree"] for row in rows if row["crack"] == "yes"} <= {"0.5", "1"}
    _, rows, _ = images("--count", 8, "--balanced")
    assert set(Counter(row["label"] for row in rows).values()) == {2}


def test_vary_the_class_of_a_flat_generator(
    command: Callable[..., Any], fails: Callable[..., Any], trained_run: Path, tmp_path: Path
) -> None:
    options = ["generate", "images", trained_run, "--count", 2, "--vary", "class=dark:bright"]
    assert command(*options, "--out", tmp_path / "out").code == 0
    with open(tmp_path / "out" / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "seed", "label", "psi"]
    assert [row["label"] for row in rows] == ["dark", "bright"] * 2
    assert "it names 'class', which --vary moves" in fails(*options, "--out", tmp_path / "no", "--label", "dark")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--label", "mono-0.5"], "--label mono-0.5: no such class"),
        (["--label", "tpye=mono"], "did you mean 'type'?"),
        (["--label", "degree=much"], "--label degree=much: give a number"),
        (["--vary", "degree=0:1:3", "--label", "degree=0.5"], "it names 'degree', which --vary moves"),
        (["--vary", "degree=0:1:1"], "--vary degree=0:1:1: there is only one value"),
        (["--vary", "degree=nan:1:3"], "--vary degree=nan: give a number"),
        (["--vary", "degre"], "--vary degre: no such attribute, did you mean 'degree'?"),
        (["--vary", "type=mono:pooly"], "did you mean 'poly'?"),
        (["--vary", "type", "--balanced"], "--vary and --balanced exclude each other"),
        (["--by", "type"], "--by type: it goes with --balanced"),
        (["--balanced", "--by", "degree"], "--by degree: it is a number"),
        (["--balanced", "--by", "kind"], "--by kind: no such attribute"),
    ],
)
def test_bad_options(
    fails: Callable[..., Any], attribute_generator_file: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    line = fails("generate", "images", attribute_generator_file, "--out", tmp_path / "out", "--count", 3, *options)
    assert message in line
    assert list(tmp_path.iterdir()) == []
