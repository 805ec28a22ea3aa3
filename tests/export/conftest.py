import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch

from stylegan_ada import load_generator
from stylegan_ada.checkpoint import GeneratorInfo, save_generator
from stylegan_ada.config import NetworkConfig
from stylegan_ada.networks import Generator
from stylegan_ada.sampling import TrainedGenerator


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """A generator of random weights with noise and truncation that matter, saved and loaded."""

    def generator(
        channels: int = 1,
        classes: tuple[Any, ...] = ("cat", "dog", "eel"),
        size: tuple[int, int] = (16, 24),
        **options: str,
    ) -> TrainedGenerator:
        torch.manual_seed(1)
        net = NetworkConfig(
            channels=channels, height=size[0], width=size[1], c_dim=len(classes),
            **{"z_dim": 8, "w_dim": 8, "channel_base": 64, "channel_max": 8, **options},
        )  # fmt: skip
        network = Generator(net)
        for name, parameter in network.named_parameters():
            parameter.data += 0.3 * torch.randn_like(parameter) if "noise" not in name else 0.3
        network.synthesis.blocks[-1].to_rgb.bias.data -= 0.2
        network.w_mean += torch.randn_like(network.w_mean)
        counts = tuple(itertools.islice(itertools.count(7), len(classes)))
        info = GeneratorInfo(network=net, classes=classes, class_counts=counts, images_seen=5)
        path = tmp_path_factory.mktemp("generator") / "generator.safetensors"
        save_generator(path, network, info)
        return load_generator(path)

    return generator
