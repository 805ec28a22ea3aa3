from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada.checkpoint import GeneratorInfo, save_generator
from stylegan_ada.config import NetworkConfig
from stylegan_ada.metrics.networks.extractor import Extractor
from stylegan_ada.networks import Generator


class PixelFeatures(Extractor):
    """Every pixel of the first channel is a feature."""

    identity = "pixels"
    name = "Pixels"

    def _of(self, images: np.ndarray) -> np.ndarray:
        return images[..., 0].reshape(len(images), -1).astype(np.float32)


@pytest.fixture
def pixels() -> PixelFeatures:
    return PixelFeatures("cpu")


@pytest.fixture(scope="session")
def make_generator_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """make_generator_file(classes): an untrained generator of 16x16 gray images."""

    def make(classes: tuple[Any, ...]) -> Path:
        torch.manual_seed(0)
        network = NetworkConfig(
            channels=1, height=16, width=16, c_dim=len(classes), z_dim=8, w_dim=8, channel_base=64, channel_max=8
        )
        info = GeneratorInfo(network=network, classes=classes, class_counts=(3, 1)[: len(classes)], images_seen=0)
        path = tmp_path_factory.mktemp("generator") / "generator.safetensors"
        save_generator(path, Generator(network), info)
        return path

    return make


@pytest.fixture(scope="session")
def generator_file(make_generator_file: Callable[..., Any]) -> Path:
    return make_generator_file(("a", "b"))
