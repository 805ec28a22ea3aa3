import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor

from stylegan_ada.cli import main
from stylegan_ada.cli.runs import STOPPING

CLASSES = ("1", "8", "9")
RARE = "8"
TRAIN = {"1": 60, "8": 6, "9": 60}
TEST = 50  # of each class


@pytest.fixture(scope="session")
def digits() -> dict[str, np.ndarray]:
    """By class, hand-written digits as uint8 [n, 16, 16], in an order of their own."""
    found = load_digits()
    images = (found.images * 15.9).clip(0, 255).astype(np.uint8).repeat(2, axis=1).repeat(2, axis=2)
    return {name: images[found.target == int(name)] for name in CLASSES}


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """write(images by class): a folder of class folders."""

    def write(by_class: dict[str, Any]) -> Path:
        folder = tmp_path_factory.mktemp("set")
        for name, images in by_class.items():
            (folder / name).mkdir()
            for index, image in enumerate(images):
                Image.fromarray(image).save(folder / name / f"{index:03d}.png")
        return folder

    return write


@pytest.fixture(scope="session")
def train_set(digits: dict[str, np.ndarray], write: Callable[..., Any]) -> Path:
    return write({name: digits[name][:count] for name, count in TRAIN.items()})


@pytest.fixture(scope="session")
def test_set(digits: dict[str, np.ndarray], write: Callable[..., Any]) -> Path:
    return write({name: images[60 : 60 + TEST] for name, images in digits.items()})


@pytest.fixture(scope="session")
def digits_run(train_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the training images that has hardly begun: what it makes is noise."""
    folder = tmp_path_factory.mktemp("digits") / "run"
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    options = ["--size", 16, "--batch", 8, "--channel-base", 64, "--channel-max", 8, "--evaluate-kimg", 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        main(["train", "--data", str(train_set), "--out", str(folder), "--kimg", "0.016", *map(str, options)])
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return folder


@pytest.fixture(scope="session")
def pixel_features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TorchScript network whose features are 8x8 pixels."""

    class Pixels(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.nn.functional.adaptive_avg_pool2d(x[:, :1], 8).flatten(1)

    path = tmp_path_factory.mktemp("features") / "pixels.pt"
    with pytest.warns(DeprecationWarning, match=r"torch\.jit"):
        torch.jit.trace(Pixels(), torch.zeros(2, 3, 224, 224)).save(str(path))
    return path
