import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylegan_ada.datasets import load_dataset


@pytest.fixture
def pipeline(tmp_path: Path) -> Callable[..., Any]:
    def write(*transforms: dict[str, float | str]) -> Path:
        path = tmp_path / "pipeline.yaml"
        path.write_text(json.dumps({"transform": {"__class_fullname__": "Compose", "transforms": transforms}}))
        return path

    return write


def test_a_set_is_prepared_and_can_be_trained_on(
    command: Callable[..., Any], image_folder: Path, tmp_path: Path
) -> None:
    result = command("data", "prepare", image_folder, "--out", tmp_path / "clean", "--size", "8", "--preset", "defect")
    assert result.code == 0, result
    assert result.out.splitlines() == [
        f"wrote 24 images; before and after: {tmp_path / 'clean' / 'before-after.png'}",
        f"train on them with --data {tmp_path / 'clean' / 'images'}",
    ]
    assert {p.name for p in (tmp_path / "clean").iterdir()} == {
        "images", "before-after.png", "pipeline.yaml", "prepare.json"
    }  # fmt: skip
    dataset = load_dataset(str(tmp_path / "clean" / "images"))
    assert dataset.classes == ("bright", "dark")
    assert len(dataset) == 24


def test_failures_and_warnings_are_said(
    command: Callable[..., Any], few: Path, pipeline: Callable[..., Any], tmp_path: Path
) -> None:
    (few / "dark/bad.png").write_text("hello")
    path = pipeline({"__class_fullname__": "Resize", "height": 8, "width": 8, "p": 1.0})
    result = command("data", "prepare", few, "--out", tmp_path / "clean", "--size", "8", "--pipeline", path)
    assert result.code == 0
    assert "warning: Resize aliases when it shrinks: write `interpolation: 3` (area) beside it\n" in result.err
    assert "warning: 1 of 7 images left out:\n  dark/bad.png: not a PNG, JPEG" in result.err


def test_mistakes_are_one_line_and_leave_nothing(
    fails: Callable[..., Any], few: Path, pipeline: Callable[..., Any], tmp_path: Path
) -> None:
    prepare = ("data", "prepare", few, "--out", tmp_path / "clean", "--size")
    assert "--size 8x: give a side" in fails(*prepare, "8x")
    assert "--preset phot: no such choice, did you mean 'photo'?" in fails(*prepare, "8", "--preset", "phot")
    assert "8x8 is" not in fails(*prepare, "32")  # larger than the images
    wrong = pipeline({"__class_fullname__": "Resise", "p": 1.0})
    assert "did you mean 'Resize'?" in fails(*prepare, "8", "--pipeline", wrong)
    both = fails(*prepare, "8", "--pipeline", wrong, "--fit", "pad")
    assert f"--pipeline {wrong}: it says all that is done, leave --preset, --fit and --background out" in both
    assert "--background: nothing is padded" in fails(*prepare, "8", "--background", "edge")
    other = pipeline({"__class_fullname__": "CenterCrop", "height": 4, "width": 4, "p": 1.0})
    assert "the pipeline makes 4x4 pixels where --size is 8x8" in fails(*prepare, "8", "--pipeline", other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few", "pipeline.yaml"]


def test_the_copy_may_not_lie_among_the_images(fails: Callable[..., Any], few: Path) -> None:
    message = fails("data", "prepare", few, "--out", few / "clean", "--size", "8")
    assert "it lies inside" in message
    assert not (few / "clean").exists()


def test_help_loads_neither_albumentations_nor_torch(environment: dict[str, str]) -> None:
    code = "import sys; from stylegan_ada.cli import run; run(['data', 'prepare', '--help']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=300
    )
    assert "--background" in done.stdout
    assert not {"albumentations", "cv2", "torch"} & set(done.stdout.split())
