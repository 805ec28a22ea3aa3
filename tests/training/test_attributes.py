"""A short run on images whose look follows from a number and a category: what was learned of both."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_ada import TrainedGenerator, load_generator, train
from stylegan_ada.cli import main
from stylegan_ada.training import RunFolder

SLOPE = 2.0  # gray levels per year
AGES = np.linspace(25, 75, 6)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on 300 images: brightness grows with age, of every tenth unknown, and one half is brighter."""
    folder = tmp_path_factory.mktemp("aged")
    rng = np.random.default_rng(0)
    lines = ["file,age,half"]
    for index in range(300):
        age, half = rng.uniform(20, 80), rng.choice(["left", "right"])
        image = rng.normal(50 + SLOPE * (age - 20) + rng.normal(0, 6), 6, (8, 8))
        image[:, slice(4) if half == "left" else slice(4, 8)] += 60
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(folder / f"{index:03d}.png")
        lines.append(f"{index:03d}.png,{'' if index % 10 == 9 else f'{age:.2f}'},{half}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    train(
        folder,
        folder.parent / "run",
        attributes="age:number,half",
        kimg=3,
        batch=16,
        channel_base=256,
        channel_max=16,
        gamma=0.02,
        ema_kimg=0.5,
        evaluate_kimg=0,
        augment="none",
        device="cpu",
    )
    return folder.parent / "run"


@pytest.fixture
def generator(run: Path) -> TrainedGenerator:
    return load_generator(run)


def mean_at(generator: TrainedGenerator, age: float, truncation_psi: float = 1.0) -> float:
    """The mean brightness of 64 images of one age."""
    return float(generator.sample(range(64), [f"age={age}"] * 64, truncation_psi).mean())


def test_brightness_grows_with_age_as_in_the_images(generator: TrainedGenerator) -> None:
    slope = np.polyfit(AGES, [mean_at(generator, age) for age in AGES], 1)[0]
    assert slope == pytest.approx(SLOPE, rel=0.2)


def test_truncation_keeps_what_was_asked_for(generator: TrainedGenerator) -> None:
    """The centre is the mean of w at that age, not that of all."""
    slope = np.polyfit(AGES, [mean_at(generator, age, 0.3) for age in AGES], 1)[0]
    assert slope == pytest.approx(SLOPE, rel=0.3)


def test_the_category_is_obeyed_at_every_age(generator: TrainedGenerator) -> None:
    for half in ("left", "right"):
        images = generator.sample(range(40), [f"half={half},age={age}" for age in (25, 50, 70, 75) for _ in range(10)])
        left, right = images[:, :, :4].mean(axis=(1, 2, 3)), images[:, :, 4:].mean(axis=(1, 2, 3))
        assert np.mean((left > right) == (half == "left")) > 0.9


def test_vary_moves_the_number_alone(run: Path, tmp_path: Path) -> None:
    """Each row grows brighter, and keeps its half."""
    command = ["generate", "images", str(run), "--count", "6", "--vary", "age=25:75:6", "--out", str(tmp_path / "out")]
    main(command)
    with open(tmp_path / "out" / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 36
    for seed in {row["seed"] for row in rows}:
        own = [row for row in rows if row["seed"] == seed]
        assert [float(row["age"]) for row in own] == AGES.tolist()
        assert len({row["half"] for row in own}) == 1
        means = [np.asarray(Image.open(tmp_path / "out" / row["file"]), np.float64).mean() for row in own]
        assert (np.diff(means) > 0).all(), means


def test_a_run_that_goes_on_is_the_run_uninterrupted(tmp_path: Path) -> None:
    """The sums behind the centre of truncation are part of the state."""
    folder = tmp_path / "set"
    folder.mkdir()
    rng = np.random.default_rng(1)
    lines = ["file,age,half"]
    for index in range(16):
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(folder / f"{index}.png")
        lines.append(f"{index}.png,{index},{'left' if index % 3 else 'right'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    options = {
        "attributes": "age:number,half",
        "balance": 1,
        "balance_by": "half",
        "batch": 8,
        "channel_base": 64,
        "channel_max": 8,
        "evaluate_kimg": 0,
        "device": "cpu",
    }
    for kimg, name in ((0.064, "whole"), (0.024, "parts"), (0.064, "parts")):
        train(folder, tmp_path / name, kimg=kimg, **options)
    whole, parts = (
        torch.load(RunFolder(tmp_path / name).checkpoint_file(64), weights_only=True) for name in ("whole", "parts")
    )
    for part in ("generator", "generator_ema", "discriminator"):
        assert whole[part].keys() == parts[part].keys()
        assert all(torch.equal(tensor, parts[part][name]) for name, tensor in whole[part].items())
    assert whole["generator"]["w_moments"].abs().sum() > 0
