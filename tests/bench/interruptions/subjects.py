"""The commands that are interrupted: a tiny run, and what is made of it."""

import random
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

TRAIN = (
    "--size 16 --batch 8 --channel-base 64 --channel-max 8 --precision fp32 --device cpu --holdout 0.25 --balance 0.5 "
    "--ada-kimg 0.2 --tick-kimg 0.008 --snapshot-kimg 0.008 --evaluate-kimg 0.016 --kimg"
)


def train_command(base: Path, kimg: float = 0.064) -> list[str]:
    """A labelled, held-out, balanced and measured run on images of its own."""
    images = make_images(base / "images", {"a": 20, "b": 12, "c": 8})
    return ["train", "--data", str(images), *TRAIN.split(), str(kimg)]


def commands_on(run: Path, base: Path) -> dict[str, list[str]]:
    """Commands on a run, by name."""
    network, few = str(pixels_network(base / "pixels.pt")), make_images(base / "few", {"a": 3, "b": 2, "c": 1}, seed=1)
    test = make_images(base / "test", {"a": 8, "b": 8, "c": 8}, seed=2)
    given = ["--device", "cpu", "--features", network]
    return {
        "generate dataset": ["generate", "dataset", str(run), "--per-class", "40", "--reject-duplicates", *given],
        "project": f"project {run} {few} --distance {network} --device cpu --steps 3 --candidates 3 --batch 2".split(),
        "utility": [
            "utility",
            str(run),
            *given,
            *f"--test {test} --classifier linear --arms real,classic,synthetic,filtered --ratios 1".split(),
        ],
    }


def make_images(folder: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """Gray images of 16x16 in class folders, each class of another brightness."""
    rng = random.Random(seed)
    for number, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = np.random.default_rng(rng.randrange(2**32)).integers(0, 100, (16, 16)) + 70 * number
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{index:03d}.png")
    return folder


class Means(torch.nn.Module):
    """8x8 pixels as features."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(x[:, :1], 8).flatten(1)


def pixels_network(path: Path) -> Path:
    """A network that costs nothing, as a TorchScript file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is old, and what the files of users are made by
        torch.jit.trace(Means(), torch.zeros(2, 3, 224, 224)).save(str(path))  # type: ignore[no-untyped-call]
    return path
