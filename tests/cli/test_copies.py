"""Copies and patients, from a set in which the test has planted them to a run's hold-out."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of 30 pictures of 16x16, two of each patient; ten of each class are there again, one as a JPEG."""
    rng = np.random.default_rng(0)
    for number in range(60):
        name = tmp_path / "set" / ("cat", "dog")[number % 2] / f"P{number // 4:02}" / f"{number:02}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        blocks = rng.integers(0, 256, (4, 4)).astype(np.uint8)
        Image.fromarray(blocks).resize((16, 16), Image.Resampling.BICUBIC).save(name)
        if number < 20:
            shutil.copy(name, name.with_name(f"{number:02}-again.png"))
    Image.open(tmp_path / "set/cat/P10/40.png").save(tmp_path / "set/cat/P10/40-again.jpg", quality=95)
    return tmp_path / "set"


def _held(run: Path) -> set[str]:
    return set(json.loads((run / "holdout.json").read_text()))


def test_training_holds_out_whole_pictures_and_says_so(
    command: Callable[..., Any], folder: Path, tmp_path: Path, small: list[str]
) -> None:
    run = tmp_path / "run"
    result = command("train", "--data", folder, "--out", run, *small, "--kimg", "0.016", "--holdout", "0.25")
    assert result.code == 0, result.err
    assert "21 images are copies of others, exact or nearly (first: 'cat/P00/00-again.png' and 'cat/P00/00.png')" in (
        result.out + result.err
    )
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.*")]
    held = _held(run)
    assert 18 <= len(held) <= 22  # of 81
    copies = [name for name in names if "again" in name]
    assert len(copies) == 21
    for name in copies:
        original = name[: name.index("-again")] + ".png"
        assert (name in held) == (original in held)
    assert json.loads((run / "config.json").read_text())["data"]["copies_together"] is True


@pytest.mark.parametrize("rule", ["folder:2", r"name:/(P\d+)/"])
def test_patients_lie_on_one_side(
    command: Callable[..., Any], folder: Path, tmp_path: Path, small: list[str], rule: str
) -> None:
    run = tmp_path / "run"
    line = ["train", "--data", folder, "--out", run, *small, "--holdout", "0.25", "--groups", rule]
    result = command(*line, "--kimg", "0.016")
    assert result.code == 0, result.err
    assert f"--groups {rule}: 15 groups (such as 'P00')" in result.out + result.err
    held = _held(run)
    patients = {name.split("/")[1] for name in held}
    whole = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.parent.name in patients}
    assert held == whole
    assert {name.split("/")[0] for name in held} == {"cat", "dog"}
    again = command(*line, "--kimg", "0.032")
    assert "resuming" in again.out
    assert _held(run) == held


def test_inspect_knows_groups_and_proposes_them(command: Callable[..., Any], folder: Path) -> None:
    out = command("data", "inspect", folder, "--groups", "folder:2").out
    assert "2 classes, 15 groups" in out
    assert "--groups folder:2: 15 groups (such as 'P00')" in out
    assert "20 images are exact copies of others: a hold-out keeps copies on one side" in out
    assert "--groups folder:2" in out.splitlines()[-1]


def test_wrong_rules(fails: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    line = ["train", "--data", folder, "--out", tmp_path / "run", "--groups"]
    assert "--groups 'folder:0': give folder:2" in fails(*line, "folder:0")
    assert "--groups 'name:(P': this is no regular expression" in fails(*line, "name:(P")
    assert "--groups folder:3: 81 of 81 images" in fails(*line, "folder:3")
    assert "--groups name:^Q: 81 of 81 images" in fails("data", "inspect", folder, "--groups", "name:^Q")


def test_copies_in_two_classes_are_warned_of(command: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "cat/P11/44.png", folder / "dog/P11/other.png")
    for more in ([], ["--holdout", "0.25"]):
        said = command("train", "--data", folder, "--out", tmp_path / "run", "--dry-run", *more).err
        assert "warning: 1 pairs of copies are in two classes (first: 'cat/P11/44.png' and 'dog/P11/other.png')" in said
