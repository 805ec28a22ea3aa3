"""Attributes on the command line: `data inspect`, the command that it proposes, errors in one line."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROWS = [f"{index}.png,{('mono', 'poly')[index % 2]},{index / 7:.2f},{('yes', 'no')[index // 7]}" for index in range(14)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    root.mkdir()
    for index in range(14):
        pixels = np.random.default_rng(index).integers(0, 256, (16, 16), np.uint8)
        Image.fromarray(pixels).save(root / f"{index}.png")
    (root / "labels.csv").write_text("\n".join(["file,type,degree,crack", *ROWS]))
    return root


def test_inspect_goes_on_with_what_it_proposes(command: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    asked = "type,degree:number,crack:yesno"
    found = command("data", "inspect", folder, "--sheet", tmp_path / "sheet.png")
    assert f"note: no column of the table holds classes: it is taken as --attributes {asked}" in found.out
    assert f"{folder}: 14 images, 4 combinations of 3 attributes\n  mono-no crack: 3\n" in found.out
    assert "attribute type (category): mono (7), poly (7)\n" in found.out
    assert "attribute degree (number): 0 to 1.86, mean 0.9285714\n" in found.out
    words = shlex.split(found.out.splitlines()[-1])
    assert words[words.index("--attributes") + 1] == asked
    assert (tmp_path / "sheet.png").exists()
    found = json.loads(command("data", "inspect", folder, "--attributes", "type,crack:yesno", "--json").out)
    assert [one["values"] for one in found["attributes"]] == [{"mono": 7, "poly": 7}, {"no": 7, "yes": 7}]
    assert "--attributes type,crack:yesno" in found["command"]


def test_empty_combinations_are_named(command: Callable[..., Any], folder: Path) -> None:
    rows = [f"{index}.png,a{index % 7},b{index % 7}" for index in range(14)]
    (folder / "labels.csv").write_text("\n".join(["file,a,b", *rows]))
    named = ", ".join(f"a{a}-b{b}" for a in range(3) for b in range(7) if a != b)
    named = ", ".join(named.split(", ")[:12])
    out = command("data", "inspect", folder, "--attributes", "a,b").out
    assert f"combinations that no image has: {named} and 30 more\n" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--attributes", "type,degre:number"), "--attributes degre: labels.csv has no such column, did you mean"),
        (("--attributes", "type:word"), "--attributes type:word: no kind 'word', choose from"),
        (("--attributes", "type:number"), "14 of 14 cells are not numbers (first: 'mono', labels.csv line 2)"),
        (("--split-names", "-"), "--split-names -: name the parts by --attributes, such as type,degree"),
        (("--attributes", "type", "--no-labels"), "--attributes type: --no-labels ignores them"),
        (("--attributes", "type", "--label-column", "type"), "--label-column type: --attributes names the columns"),
    ],
)
def test_errors(fails: Callable[..., Any], folder: Path, options: tuple[str, ...], words: str) -> None:
    assert words in fails("data", "inspect", folder, *options)


def test_training_without_attributes_proposes_them(fails: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    line = fails("train", "--data", folder, "--out", tmp_path / "run")
    assert "labels.csv must start with the line 'file,label', not 'file,type,degree,crack'" in line
    assert line.endswith("or give several by --attributes type,degree:number,crack:yesno")


def test_a_prepared_copy_keeps_the_columns(command: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    made = command("data", "prepare", folder, "--out", tmp_path / "clean", "--preset", "photo", "--size", "16")
    assert made.code == 0, made
    rows = (tmp_path / "clean/images/labels.csv").read_text().splitlines()
    assert rows == ["file,type,degree,crack", *ROWS]
