"""Images of more than 8 bits, from file to network to generated file."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from stylegan_ada import load_generator
from stylegan_ada.checkpoint import read_info
from stylegan_ada.config.options import TrainOptions
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.training import RunFolder, Trainer, start
from stylegan_ada.training.run_images import run_images

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 gradients of 12 bits, 16x16, from 200 to 3900, in two classes."""
    folder = tmp_path_factory.mktemp("scans")
    for index in range(24):
        name = ("down", "up")[index % 2]
        (folder / name).mkdir(exist_ok=True)
        ramp = np.linspace(200, 3900, 256).reshape(16, 16) + RANDOM.integers(0, 5)
        cv2.imwrite(
            str(folder / name / f"{index}.png"), (ramp if index % 2 else ramp[::-1]).clip(200, 3900).astype(np.uint16)
        )
    return folder


@pytest.fixture
def run(command: Callable[..., Any], scans: Path, small: list[str], tmp_path: Path) -> Callable[..., Any]:
    def run(*options: str, data: Path = scans) -> tuple[Path, str]:
        out = tmp_path / "run"
        result = command("train", "--data", data, "--out", out, "--kimg", "0.016", *small, *options)
        assert result.code == 0, result.err
        return out, result.out

    return run


def read(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_a_12_bit_gradient_comes_back_in_its_own_range(
    run: Callable[..., Any], command: Callable[..., Any], scans: Path, pixels_file: Path, tmp_path: Path
) -> None:
    out, said = run()
    assert "200 is black and 3900 white (the lowest and the highest value of all images)" in said
    assert json.loads((out / "config.json").read_text())["window"] == [200, 3900]
    assert read_info(out / "generator.safetensors").window == (200, 3900)
    assert command("generate", "images", out, "--out", tmp_path / "made", "--count", "8").code == 0
    made = np.stack([read(path) for path in sorted((tmp_path / "made").rglob("seed*.png"))])
    assert made.dtype == np.uint16
    assert made.min() >= 200
    assert made.max() <= 3900
    assert len(np.unique(made)) > 256
    generator = load_generator(out)
    sampled = generator.sample(range(8))
    assert np.array_equal(np.sort(sampled.ravel()), np.sort(made.ravel()))
    shown = generator.sample_uint8(range(8))
    assert shown.dtype == np.uint8
    assert np.abs(shown - (sampled - 200.0) * 255 / 3700).max() <= 0.6
    result = command("evaluate", out, "--count", "16", "--metrics", "kid", "--features", pixels_file)
    assert result.code == 0, result.err
    assert command("train", "--data", scans, "--out", out, "--kimg", "0.032", *small_options(out)).code == 0


def small_options(out: Path) -> list[float | str]:
    """Those that the run began with."""
    given = json.loads((out / "options.json").read_text())
    names = ("size", "batch", "channel_base", "channel_max", "tick_kimg", "precision", "evaluate_kimg")
    return [text for name in names for text in ("--" + name.replace("_", "-"), given[name])]


def test_values_below_zero_come_back_as_floating_point_numbers(
    run: Callable[..., Any], command: Callable[..., Any], tmp_path: Path
) -> None:
    for index in range(8):
        (tmp_path / "hu").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "hu" / f"{index}.tiff"), RANDOM.normal(-200, 300, (16, 16)).astype(np.float32))
    out, _ = run("--window", "-1000,400", data=tmp_path / "hu")
    result = command("generate", "dataset", out, "--out", tmp_path / "made", "--count", "40")
    assert result.code == 0, result.err
    made = np.stack([read(path) for path in (tmp_path / "made").rglob("seed*.tiff")])
    assert made.shape == (40, 16, 16)
    assert made.dtype == np.float32
    assert made.min() >= -1000
    assert made.max() <= 400
    assert made.min() < 0


def test_color_of_16_bits(
    run: Callable[..., Any] | Path | tuple[Path, Trainer], command: Callable[..., Any], tmp_path: Path
) -> None:
    for index in range(8):
        (tmp_path / "rgb").mkdir(exist_ok=True)
        array = RANDOM.integers(0, 65536, (16, 16, 3)).astype(np.uint16)
        array[0, 0], array[0, 1] = 0, 65535
        cv2.imwrite(str(tmp_path / "rgb" / f"{index}.png"), array)
    out, _ = run(data=tmp_path / "rgb")
    assert command("generate", "images", out, "--out", tmp_path / "made", "--count", "4").code == 0
    found = read(next((tmp_path / "made").glob("seed*0.png")))
    assert np.array_equal(found[:, :, ::-1], load_generator(out).sample(range(4))[0])


def test_wrong_windows(
    fails: Callable[..., Any], scans: Path, image_folder: Path, small: list[str], tmp_path: Path
) -> None:
    def line(window: str, data: Path = scans) -> str:
        return fails("train", "--data", data, "--out", tmp_path / "run", "--window", window, *small)

    assert "--window 5: give LOW,HIGH, two numbers" in line("5")
    assert "--window 5,1: give LOW,HIGH, the lower number first" in line("5,1")
    assert "--window: 24 images have 8 bits (first: 'bright/00.png')" in line("0,255", image_folder)
    assert not (tmp_path / "run" / "config.json").exists()


def test_projection_sees_what_training_sees(run: Callable[..., Any], scans: Path, image_folder: Path) -> None:
    """12-bit values by the generator's window, not by the whole range of 16 bits."""
    from stylegan_ada.projection.inputs import read_inputs

    out, _ = run()
    window = read_info(out / "generator.safetensors").window
    files = [*sorted((scans / "up").iterdir())[:2], image_folder / "bright/00.png"]
    inputs = read_inputs(files, (1, 16, 16), LabelSpace(("down", "up"), (1, 1)), None, Preparation(window=window))
    assert inputs.skipped == [(files[2], "8 bits, where the generator's images have more")]
    for file in files[:2]:
        expected = (read(file) - 200.0) * 255 / 3700
        assert np.abs(inputs.images[file.stem][:, :, 0] - expected).max() <= 0.51


def test_a_run_that_was_begun_with_8_bits_goes_on_with_them(scans: Path, tmp_path: Path) -> None:
    folder, options = RunFolder(tmp_path / "run"), dict(size="16", batch=8, channel_base=64, channel_max=8)

    def train(kimg: float, load: Callable[..., Any]) -> None:
        chosen = TrainOptions(data=str(scans), kimg=kimg, evaluate_kimg=0, **options)
        start.train(chosen, folder, torch.device("cpu"), lambda line: None, load=load)

    train(0.016, lambda source, how, **named: load_dataset(source, replace(how, beyond_8_bits=False), **named))
    assert folder.read_config().window is None
    train(0.032, load_dataset)
    assert folder.read_config().window is None
    assert read_info(folder.generator_file).images_seen == 32
    assert run_images(folder.path, None).dataset.window is None
