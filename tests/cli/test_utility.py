import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylegan_ada.cli import utility
from stylegan_ada.utility import arms, assess, classic


@pytest.fixture
def quick(pixels_file: Path) -> list[Path | str]:
    return ["--features", pixels_file, "--classifier", "linear", "--arms", "real,synthetic", "--ratios", "1,2"]


def test_a_verdict_with_its_figures_and_page(
    command: Callable[..., Any], trained_run: Path, unseen: Path, quick: list[Path | str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = command("utility", trained_run, "--out", out, "--test", unseen, *quick, "--fractions", "0.5,1")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0] == "linear, 50% of the real images"
    assert lines[2].split()[:4] == ["real", "10", "0", "100.0"]  # of 6 images of each class, one each is for validation
    assert "  the generator saw more real images than these classifiers: 24" in lines
    assert re.match(r"(No gain shown: |They did harm: )", lines[-2])
    assert lines[-1] == f"results.json and report.html are in {out}"
    content = json.loads((out / "results.json").read_text())
    assert [arm["arm"] for arm in content["arms"][:3]] == ["real", "real + 1 synthetic", "real + 2 synthetic"]
    assert content["test_images_by_class"] == [15, 15]
    page = (out / "report.html").read_text()
    assert "its generator saw more real images than this arm was given: 24" in page
    assert "http" not in page.replace("http-equiv", "")
    again = command("utility", trained_run, "--out", out, "--test", unseen, *quick, "--fractions", "0.5,1")
    assert again.out == result.out


def test_choices_are_the_librarys() -> None:
    """The command names them itself, since the library imports torch."""
    parameters = {parameter.name: parameter for parameter in utility.utility.params}
    assert utility.ARMS == arms.KINDS
    assert tuple(map(float, parameters["ratios"].default.split(","))) == arms.RATIOS
    assert tuple(parameters["preset"].type.choices) == classic.AUGMENTATION_PRESETS
    assert set(parameters["classifier"].type.choices) == {*assess.CLASSIFIERS, "both"}
    assert parameters["seeds"].type.within.low == assess.FEWEST_SEEDS


def test_wrong_options(fails: Callable[..., Any], trained_run: Path, unseen: Path, tmp_path: Path) -> None:
    def line(*options: Path | str, test: Path = unseen) -> str:
        return fails("utility", trained_run, "--out", tmp_path / "out", "--test", test, *options)

    assert "--arms reel: no such arm, did you mean 'real'?" in line("--arms", "reel")
    assert "--ratios a: give numbers separated by commas" in line("--ratios", "a")
    assert "--ratios 0: give numbers above 0" in line("--ratios", "0")
    assert "--fractions 2.0: give numbers above 0, up to 1" in line("--fractions", "2")
    assert "--classifier svm: no such choice" in line("--classifier", "svm")
    assert "--seeds" in line("--seeds", "3")
    own = tmp_path / "own.yaml"
    own.write_text("transform: {__class_fullname__: Compose, p: 1.0, transforms: [{__class_fullname__: Flop, p: 1.0}]}")
    assert "albumentations has no transform 'Flop'" in line("--augmentations", own)
    assert "there is no" in line(test=tmp_path / "nothing")
    assert not (tmp_path / "out").exists()
    without = fails("utility", trained_run, "--out", tmp_path / "out")
    assert "it held out no images to test on, name others by --test, or train with --holdout 0.25" in without
