"""Transparency, from file to network to generated file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada import load_generator
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.pictures.files import as_picture
from stylegan_ada.pictures.grids import image_grid
from stylegan_ada.training.run_images import run_images

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def icons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 discs of 16x16 pixels in two classes; around them lies an invisible colour, another in each file."""
    folder = tmp_path_factory.mktemp("icons")
    y, x = np.mgrid[:16, :16] - 7.5
    for index in range(24):
        name = ("blue", "red")[index % 2]
        (folder / name).mkdir(exist_ok=True)
        pixels = np.zeros((16, 16, 4), np.uint8)
        pixels[:] = (*RANDOM.integers(0, 256, 3), 0)
        pixels[y**2 + x**2 < 36] = (100 * (index % 2), 0, 100 - 100 * (index % 2), 200)
        Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture
def run(command: Callable[..., Any], icons: Path, small: list[str], tmp_path: Path) -> Path:
    out = tmp_path / "run"
    given = ("train", "--data", icons, "--out", out, "--channels", "rgba", "--kimg", "0.064", *small)
    result = command(*given, "--evaluate-kimg", "0.064")
    assert result.code == 0, result.err
    return out


def test_rgba_comes_back_as_rgba(
    run: Path, command: Callable[..., Any], fails: Callable[..., Any], icons: Path, tmp_path: Path
) -> None:
    config = json.loads((run / "config.json").read_text())
    assert config["network"]["channels"] == 4
    assert (run / "report.html").exists()
    assert command("generate", "images", run, "--out", tmp_path / "made", "--count", "3").code == 0
    assert command("generate", "dataset", run, "--out", tmp_path / "set", "--count", "4").code == 0
    assert command("generate", "grid", run, "--out", tmp_path / "grid.png").code == 0
    files = [*(tmp_path / "made").rglob("seed*.png"), *(tmp_path / "set").rglob("*.png")]
    assert len(files) == 7
    for file in files:
        with Image.open(file) as image:
            assert image.mode == "RGBA"
    made = load_generator(run).sample_uint8([0])[0].astype(int)
    assert made.shape == (16, 16, 4)
    written = np.asarray(Image.open(next((tmp_path / "made").rglob("seed0000000000.png")))).astype(int)
    np.testing.assert_array_equal(written[:, :, 3], made[:, :, 3])
    most = np.minimum(made[:, :, :3], made[:, :, 3:])
    assert np.abs(written[:, :, :3] * written[:, :, 3:] / 255 - most).max() <= 1
    result = command("evaluate", run, "--count", "16", "--metrics", "kid")
    assert result.code == 0, result.err
    moved = command("evaluate", run, "--count", "16", "--metrics", "kid", "--data", icons)
    assert moved.code == 0, moved.err
    assert "--format jpg: it has no transparency" in fails(
        "generate", "dataset", run, "--out", tmp_path / "jpg", "--count", "4", "--format", "jpg"
    )
    assert "no transparency" in fails("utility", run, "--out", tmp_path / "utility")
    assert "transparency" in fails("project", run, icons, "--out", tmp_path / "projected")


def test_color_that_cannot_be_seen_does_not_matter(icons: Path, tmp_path: Path) -> None:
    found = load_dataset(str(icons), Preparation(size=12, channels=4)).images
    for file in icons.rglob("*.png"):
        pixels = np.array(Image.open(file))
        pixels[pixels[:, :, 3] == 0] = 0
        target = tmp_path / "set" / file.relative_to(icons)
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(target)
    np.testing.assert_array_equal(load_dataset(str(tmp_path / "set"), Preparation(size=12, channels=4)).images, found)
    assert (found[:, :3] <= found[:, 3:]).all()
    assert found[0, :, 6, 6].tolist() == [0, 0, 78, 200]  # 100 * 200 / 255


def test_gray_and_rgb_are_forced(icons: Path) -> None:
    gray = load_dataset(str(icons), Preparation(size=16, channels=1, background="black")).images
    assert gray[0, 0, 8, 8] == round(0.114 * 100 * 200 / 255)
    assert gray[0, 0, 0, 0] == 0


def test_a_grid_lies_on_white() -> None:
    image = np.array([[[100, 0, 0, 200], [0, 0, 0, 0]]], np.uint8)
    assert np.asarray(as_picture(image)).tolist() == [[[127, 0, 0, 200], [0, 0, 0, 0]]]
    grid = np.asarray(image_grid([image[None]])).astype(int)
    assert np.abs(grid[0, 0] - [155, 55, 55]).max() <= 1
    assert grid[0, -1].tolist() == [255, 255, 255]


def test_the_other_options_reach_the_run_and_its_other_images(
    command: Callable[..., Any], small: list[str], tmp_path: Path
) -> None:
    """Padded pages of a TIFF, at a size that is chosen; 20 of 20x30 pixels."""
    pages = [Image.fromarray(RANDOM.integers(0, 256, (20, 30), dtype=np.uint8)) for _ in range(20)]
    (tmp_path / "scans").mkdir()
    pages[0].save(tmp_path / "scans" / "a.tiff", save_all=True, append_images=pages[1:])
    given = ["--size", "auto", "--fit", "pad", "--background", "edge", "--pages", "all", "--channels", "rgb"]
    train = ["train", "--data", tmp_path / "scans", "--out", tmp_path / "run", *small[2:], *given]
    result = command(*train, "--kimg", "0.016")
    assert result.code == 0, result.err
    assert "--size 20x28: the nearest size with a network within the median image of 20x30" in result.out
    assert "20 images: 20 gray converted to RGB, 1 file holds several pictures, of which all are taken" in result.out
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["network"]["channels"] == 3
    assert (config["network"]["height"], config["network"]["width"]) == (20, 28)
    assert config["data"]["size"] == "auto"
    assert command(*train, "--kimg", "0.032").code == 0
    for data in (None, str(tmp_path / "scans")):
        real = run_images(tmp_path / "run", data)
        assert real.dataset.image_shape == (3, 20, 28)
        assert len(real.dataset) == 20
        assert real.trained_on is not None
