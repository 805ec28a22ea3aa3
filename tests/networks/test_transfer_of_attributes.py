"""Attributes are taken by their names, and numbers keep their meaning in their own units."""

import dataclasses
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from stylegan_ada.config import NetworkConfig
from stylegan_ada.labels.attribute import CATEGORY, NUMBER, YESNO, Attribute, label_width, slices
from stylegan_ada.networks import Discriminator, Generator
from stylegan_ada.networks.transfer import Described, transfer_discriminator, transfer_generator

AGE = Attribute(name="age", kind=NUMBER, unknown=True, mean=40.0, spread=10.0, low=20, high=60)
ELDER = dataclasses.replace(AGE, mean=55.0, spread=4.0, low=30, high=90)
TYPE = Attribute(name="type", kind=CATEGORY, values=("mono", "poly"))
TYPES = dataclasses.replace(TYPE, values=("poly", "thin", "mono"))
CRACK = Attribute(name="crack", kind=YESNO, values=("no", "yes"))
BASE = NetworkConfig(
    channels=1, height=16, width=16, z_dim=8, w_dim=8, mapping_depth=2, channel_base=64, channel_max=8,
    label_head="full", label_depth=1,
)  # fmt: skip


def described(*attributes: Attribute, classes: tuple[str, ...] = ("a", "b")) -> Described:
    width = label_width(attributes) if attributes else len(classes)
    config = dataclasses.replace(BASE, c_dim=width, attributes=bool(attributes))
    return Described(config=config, classes=classes, attributes=attributes)


def made(kind: type, about: Described, seed: int) -> Discriminator | Generator:
    """A float64 network without a number that is 0 or 1 by chance of its beginning."""
    torch.manual_seed(seed)
    network = kind(about.config).double()
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.add_(torch.randn_like(tensor) * 0.1)
    return network.requires_grad_(False)


def vector(about: Described, label: Mapping[str, str | float | None]) -> Tensor:
    """float64 [1, width], by the definition of a label vector."""
    c = torch.zeros(label_width(about.attributes), dtype=torch.float64)
    for one, part in zip(about.attributes, slices(about.attributes), strict=True):
        value = label[one.name]
        if value is None:
            c[part.stop - 1] = 1
        elif isinstance(value, float):
            c[part.start], c[part.start + 1] = (value - one.mean) / one.spread, 1
        else:
            c[part.start + one.values.index(value)] = 1
    return c[None]


@pytest.mark.parametrize("label", [{"age": 47.5, "type": "mono"}, {"age": None, "type": "poly"}])
def test_the_same_label_gives_what_it_gave(label: dict[str, str | float | None]) -> None:
    source, target = described(AGE, TYPE), described(TYPES, ELDER)
    trained, network = made(Generator, source, 0), made(Generator, target, 1)
    parts = transfer_generator(network, target, source, trained.state_dict())
    z = torch.randn(1, 8, dtype=torch.float64)
    ws = [
        one.truncate(one.mapping(z, c), c, 0.7)
        for one, c in ((trained, vector(source, label)), (network, vector(target, label)))
    ]
    torch.testing.assert_close(*ws, rtol=0, atol=1e-12)
    assert {part.name: part.words for part in parts}["label values"] == "5 of 6 values"

    trained, network = made(Discriminator, source, 0), made(Discriminator, target, 1)
    parts = transfer_discriminator(network, target, source, trained.state_dict())
    x = torch.randn(1, 1, 16, 16, dtype=torch.float64)
    logits = trained(x, vector(source, label)), network(x, vector(target, label))
    torch.testing.assert_close(*logits, rtol=0, atol=1e-12)
    assert {part.name: part.words for part in parts}["label values"] == "5 of 6 values"


def test_the_moments_begin_anew() -> None:
    about = described(AGE, TYPE)
    trained, network = made(Generator, about, 0), Generator(about.config)
    transfer_generator(network, about, about, trained.state_dict())
    assert network.w_moments is not None
    assert not network.w_moments.any()
    assert not network.w_count.any()


def test_classes_and_attributes_share_nothing() -> None:
    """Even if a class is called as a column of an attribute is."""
    flat, several = described(classes=("crack=no", "crack=yes")), described(CRACK)
    for source, target, name in ((flat, several, "label values"), (several, flat, "classes")):
        trained, network = made(Generator, source, 0), made(Generator, target, 1)
        before = network.mapping.embed.weight.clone()
        parts = transfer_generator(network, target, source, trained.state_dict())
        assert {part.name: part.words for part in parts}[name] == "new"
        assert torch.equal(network.mapping.embed.weight, before)
        of_all = trained.w_mean.mean(dim=0) if source is flat else trained.w_moments[-1, :8]
        c = torch.eye(2, dtype=torch.float64)
        centers = network.truncate(torch.zeros(2, 8, dtype=torch.float64), c, 0)
        torch.testing.assert_close(centers, of_all.expand(2, -1))
