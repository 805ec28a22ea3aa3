"""Random numbers by hand, so that a test says which transform fires and by how much."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor


class ScriptedDraws:
    """Stands in for Draws for one image: every call takes the next of the listed values."""

    def __init__(self, *script: list[float]) -> None:
        self.script = list(script)
        self.device = torch.device("cpu")

    def __len__(self) -> int:
        return 1

    def uniform(self, *shape: int) -> Tensor:
        return torch.tensor(self.script.pop(0), dtype=torch.float32).reshape(1, *shape)

    normal = uniform


@pytest.fixture
def scripted() -> type[ScriptedDraws]:
    return ScriptedDraws


@pytest.fixture
def half() -> Tensor:
    """p = 0.5: a scripted gate of 0 fires, one of 0.9 does not."""
    return torch.tensor(0.5)


@pytest.fixture
def smooth_image() -> Callable[[int, int], Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """For a height and width: an image in [-1, 1] as a function of x and y, smooth, mirrored beyond its border."""

    def make(height: int, width: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        rng = np.random.default_rng(5)
        waves = rng.normal(size=(4, 4)) / 8

        def f(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            total = np.zeros(np.broadcast(x, y).shape)
            for ky in range(4):
                for kx in range(4):
                    wave = np.cos(np.pi * kx * x / (width - 1)) * np.cos(np.pi * ky * y / (height - 1))
                    total = total + waves[ky, kx] * wave
            return total

        return f

    return make
