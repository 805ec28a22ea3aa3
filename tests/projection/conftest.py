from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_ada.checkpoint import GeneratorInfo
from stylegan_ada.config import NetworkConfig
from stylegan_ada.labels.attribute import CATEGORY, NUMBER, YESNO, Attribute, label_width
from stylegan_ada.networks import Generator
from stylegan_ada.projection.distance import Distance
from stylegan_ada.sampling import TrainedGenerator

CLASSES = ("bright", "dark")
ATTRIBUTES = (
    Attribute(name="type", kind=CATEGORY, values=("mono", "poly", "thin")),
    Attribute(name="age", kind=NUMBER, unknown=True, mean=40.0, spread=20.0, low=30.0, high=90.0),
    Attribute(name="crack", kind=YESNO, values=("no", "yes")),
)
LABELS = {
    "type=mono,age=30,crack=no": 2,
    "type=poly,age=40,crack=no": 8,
    "type=poly,age=90,crack=yes": 4,
    "type=thin,age=,crack=no": 1,
}


class Pixels(Distance):
    """The mean squared difference, of a blurred image too: what a network would give, without one."""

    def _vectors(self, rgb: Tensor, mask: None) -> Tensor:
        small = torch.nn.functional.avg_pool2d(rgb, 4)
        return torch.cat([part.flatten(1) / part[0].numel() ** 0.5 for part in (rgb, small)], dim=1)


@pytest.fixture(scope="session")
def pixels() -> Pixels:
    return Pixels()


@pytest.fixture(scope="session")
def make_generator() -> Callable[..., Any]:
    """An untrained generator of 16x16 whose classes, and whose noise, are to be seen."""

    def make(classes: tuple[Any, ...] = CLASSES, channels: int = 1) -> TrainedGenerator:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            net = NetworkConfig(
                channels=channels, height=16, width=16, c_dim=len(classes), z_dim=8, w_dim=8,
                channel_base=256, channel_max=16,
            )  # fmt: skip
            network = Generator(net)
            for name, parameter in network.named_parameters():
                if name.endswith("noise_strength"):
                    parameter.data += 0.05
                elif name.endswith("to_rgb.weight"):
                    parameter.data *= 0.3
        info = GeneratorInfo(network=net, classes=classes, class_counts=(30, 10)[: len(classes)], images_seen=5)
        return TrainedGenerator(network.eval().requires_grad_(False), info)

    return make


@pytest.fixture(scope="session")
def generator(make_generator: Callable[..., Any]) -> TrainedGenerator:
    return make_generator()


@pytest.fixture(scope="session")
def of_attributes() -> TrainedGenerator:
    """An untrained generator of 16x16 whose labels are a type, an age that may be unknown, and a crack."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        net = NetworkConfig(
            channels=1, height=16, width=16, c_dim=label_width(ATTRIBUTES), attributes=True, z_dim=8, w_dim=8,
            channel_base=256, channel_max=16,
        )  # fmt: skip
        network = Generator(net)
    info = GeneratorInfo(
        network=net,
        classes=("mono-no crack", "poly-no crack", "poly-crack", "thin-no crack"),
        class_counts=tuple(LABELS.values()),
        images_seen=5,
        attributes=ATTRIBUTES,
        labels=tuple(LABELS),
        label_counts=tuple(LABELS.values()),
    )
    return TrainedGenerator(network.eval().requires_grad_(False), info)
