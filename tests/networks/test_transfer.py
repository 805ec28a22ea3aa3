"""What a network takes over from another computes what it computed there."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_ada.config import NetworkConfig
from stylegan_ada.errors import UserError
from stylegan_ada.networks import Discriminator, Generator
from stylegan_ada.networks.transfer import Described, transfer_discriminator, transfer_generator

BASE = NetworkConfig(
    channels=3, height=16, width=16, c_dim=2, z_dim=8, w_dim=8, mapping_depth=3, channel_base=64, channel_max=8,
    label_head="full", label_depth=1,
)  # fmt: skip
CLASSES = ("good", "bad", "worse")


def described(classes: tuple[Any, ...] | None = None, **changes: int | str) -> Described:
    names = CLASSES[: changes.get("c_dim", 2)] if classes is None else classes
    config = dataclasses.replace(BASE, c_dim=len(names), **{k: v for k, v in changes.items() if k != "c_dim"})
    return Described(config=config, classes=names)


def made(kind: type, about: Described, seed: int) -> Discriminator | Generator:
    """A network without a number that is 0 or 1 by chance of its beginning."""
    torch.manual_seed(seed)
    network = kind(about.config)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.add_(torch.randn_like(tensor) * 0.1)
    return network.requires_grad_(False)


def pair(kind: type, transfer: Callable[..., Any], source: Described, target: Described) -> tuple[Any, ...]:
    """A network, another that has taken over from it, and the parts of which kind."""
    trained, network = made(kind, source, 0), made(kind, target, 1)
    parts = transfer(network, target, source, trained.state_dict())
    return trained, network, {part.name: part.words for part in parts}


def draw(about: Described, count: int = 4) -> tuple[Tensor, Tensor]:
    torch.manual_seed(5)
    z = torch.randn(count, about.config.z_dim)
    c = torch.eye(max(1, about.config.c_dim))[torch.arange(count) % max(1, about.config.c_dim)][:, : about.config.c_dim]
    return z, c


def images(network: Generator, z: Tensor, c: Tensor, psi: float = 0.7) -> Tensor:
    return network(z, c, network.synthesis.noise_constant[None], psi)


def test_the_same_shape_is_taken_whole() -> None:
    trained, network, parts = pair(Generator, transfer_generator, described(), described())
    z, c = draw(described())
    assert torch.equal(images(trained, z, c), images(network, z, c))
    assert set(parts.values()) == {"taken"}
    trained, network, parts = pair(Discriminator, transfer_discriminator, described(), described())
    x = torch.randn(4, 3, 16, 16)
    assert torch.equal(trained(x, c), network(x, c))
    assert set(parts.values()) == {"taken"}


def test_classes_are_taken_by_name() -> None:
    source, target = described(("good", "bad")), described(("worse", "bad", "good"))
    trained, network, parts = pair(Generator, transfer_generator, source, target)
    z = draw(source)[0]
    for name in ("good", "bad"):
        ours = torch.eye(3)[[target.classes.index(name)] * 4]
        theirs = torch.eye(2)[[source.classes.index(name)] * 4]
        torch.testing.assert_close(images(network, z, ours), images(trained, z, theirs))
    assert parts["classes"] == "2 of 3 classes"
    trained, network, parts = pair(Discriminator, transfer_discriminator, source, target)
    x = torch.randn(4, 3, 16, 16)
    torch.testing.assert_close(network(x, ours), trained(x, theirs))
    assert parts["classes"] == "2 of 3 classes"
    parts = pair(Generator, transfer_generator, described(("a", "b")), described(("c", "d")))[2]
    assert parts["classes"] == "new"


def test_a_gray_network_from_one_in_color() -> None:
    gray, color = described(channels=1), described(channels=3)
    trained, network, _ = pair(Generator, transfer_generator, color, gray)
    z, c = draw(color)
    torch.testing.assert_close(images(network, z, c), images(trained, z, c).mean(dim=1, keepdim=True))
    trained, network, _ = pair(Discriminator, transfer_discriminator, color, gray)
    x = torch.randn(4, 1, 16, 16)
    torch.testing.assert_close(network(x, c), trained(x.expand(-1, 3, -1, -1), c))


def test_a_network_in_color_from_a_gray_one() -> None:
    gray, color = described(channels=1), described(channels=3)
    trained, network, _ = pair(Generator, transfer_generator, gray, color)
    z, c = draw(gray)
    torch.testing.assert_close(images(network, z, c), images(trained, z, c).expand(-1, 3, -1, -1))
    trained, network, _ = pair(Discriminator, transfer_discriminator, gray, color)
    x = torch.randn(4, 1, 16, 16)
    torch.testing.assert_close(network(x.expand(-1, 3, -1, -1), c), trained(x, c))


@pytest.mark.parametrize(("before", "after"), [(16, 32), (32, 16)])
def test_blocks_of_equal_resolution_are_taken(before: int, after: int) -> None:
    source, target = described(height=before, width=before), described(height=after, width=after)
    trained, network, parts = pair(Generator, transfer_generator, source, target)
    z, c = draw(source)
    seen = []
    for one in (trained, network):
        features = []
        one.synthesis.blocks[2].register_forward_hook(lambda module, inputs, out, kept=features: kept.append(out[0]))
        images(one, z, c)
        seen.append(features[0])
    assert torch.equal(*seen)
    assert parts["block 16x16"] == "taken"
    assert parts.get("block 32x32") == ("new" if after == 32 else None)
    trained, network, parts = pair(Discriminator, transfer_discriminator, source, target)
    x = torch.randn(4, 4, 16, 16)
    assert torch.equal(trained.blocks[-2](x), network.blocks[-2](x))
    assert parts["block 16x16"] == "taken"
    assert parts["first layer"] == "new"
    assert parts["head"] == "taken"


def test_labels_that_come_have_no_effect_at_first() -> None:
    source, target = described(()), described()
    trained, network, parts = pair(Generator, transfer_generator, source, target)
    z, c = draw(target)
    torch.testing.assert_close(images(network, z, c), images(trained, z, c[:, :0]))
    assert parts["classes"] == "new"
    trained, network, _ = pair(Discriminator, transfer_discriminator, source, target)
    x = torch.randn(4, 3, 16, 16)
    network.out.weight.zero_()  # the label's share of the logit
    network.out.bias.zero_()
    torch.testing.assert_close(network(x, c), trained(x, c[:, :0]))


def test_labels_that_go() -> None:
    source, target = described(), described(())
    trained, network, parts = pair(Discriminator, transfer_discriminator, source, target)
    x = torch.randn(4, 3, 16, 16)
    trained.out.weight.zero_()
    trained.out.bias.zero_()
    torch.testing.assert_close(network(x, torch.zeros(4, 0)), trained(x, draw(source)[1]))
    assert "classes" not in parts
    _, network, parts = pair(Generator, transfer_generator, source, target)
    assert parts["mapping"] == "taken"
    assert network.w_mean.shape == (1, 8)


def test_other_widths_and_depths_leave_what_does_not_fit() -> None:
    wide = described(channel_base=128, channel_max=16)
    _, _, parts = pair(Generator, transfer_generator, described(), wide)
    assert parts["mapping"] == "taken"
    assert parts["block 4x4"] == "2 of 10 tensors"  # the strength of the noise, and RGB's bias
    _, _, parts = pair(Discriminator, transfer_discriminator, described(), wide)
    assert parts["classes"] == "new"
    deep = described(mapping_depth=5)
    _, _, parts = pair(Generator, transfer_generator, described(), deep)
    assert parts["mapping"] == "6 of 10 tensors"
    _, _, parts = pair(Discriminator, transfer_discriminator, described(), described(label_head="inner", label_depth=0))
    assert parts["head"] == "taken"


def test_what_is_not_taken_stays_as_it_was_drawn() -> None:
    target = described(height=32, width=32)
    network = made(Generator, target, 1)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trained = made(Generator, described(), 0)
    transfer_generator(network, target, described(), trained.state_dict())
    of_the_new_block = [name for name in before if name.startswith("synthesis.blocks.3.")]
    assert of_the_new_block
    for name in of_the_new_block:
        assert torch.equal(network.state_dict()[name], before[name])
    assert torch.equal(network.synthesis.noise_constant[-1024:], before["synthesis.noise_constant"][-1024:])
    size = trained.synthesis.noise_size
    assert torch.equal(network.synthesis.noise_constant[:size], trained.synthesis.noise_constant)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"height": 28, "width": 28}, "grow from 4x4 pixels, those of this run from 7x7: they share no block"),
        ({"channels": 4}, "its images have 3 channels and this run's 4"),
    ],
)
def test_what_cannot_be_taken(changes: dict[str, int], reason: str) -> None:
    target = described(**changes)
    with pytest.raises(UserError, match=reason):
        transfer_generator(
            made(Generator, target, 1), target, described(), made(Generator, described(), 0).state_dict()
        )


@pytest.mark.parametrize(
    ("kind", "transfer"), [(Generator, transfer_generator), (Discriminator, transfer_discriminator)]
)
def test_a_network_on_another_device(kind: type, transfer: Callable[..., Any]) -> None:
    """As a checkpoint, read on the CPU, is for a network on a GPU. Devices that are mixed are an error of torch's."""
    target = described(("bad", "new"), channels=1)
    trained = made(kind, described(), 0)
    parts = transfer(made(kind, target, 1).to("meta"), target, described(), trained.state_dict())
    assert {part.name: part.words for part in parts}["classes"] == "1 of 2 classes"


@pytest.mark.parametrize("masks", [0, 2])
def test_masks_are_new_where_there_were_none_or_others(masks: int) -> None:
    """Images stay what they were, and the discriminator's judgement of them, whatever it is shown as a mask."""
    source, target = described(mask_channels=masks), described(mask_channels=1)
    trained, network, _ = pair(Generator, transfer_generator, source, target)
    z, c = draw(source)
    before, after = images(trained, z, c), images(network, z, c)
    assert after.shape[1] == 4
    torch.testing.assert_close(after[:, :3], before[:, :3])
    _, judge, _ = pair(Discriminator, transfer_discriminator, source, target)
    shown = torch.randn(4, 3, 16, 16)
    one, other = (judge(torch.cat([shown, torch.randn(4, 1, 16, 16)], dim=1), c) for _ in range(2))
    torch.testing.assert_close(one, other)


def test_a_discriminator_judges_images_as_before_masks_came() -> None:
    source, target = described(), described(mask_channels=2)
    trained, network, _ = pair(Discriminator, transfer_discriminator, source, target)
    _, c = draw(source)
    shown = torch.randn(4, 3, 16, 16)
    torch.testing.assert_close(network(torch.cat([shown, torch.randn(4, 2, 16, 16)], dim=1), c), trained(shown, c))


def test_as_many_masks_are_taken_as_they_are() -> None:
    source = described(mask_channels=2)
    trained, network, _ = pair(Generator, transfer_generator, source, source)
    z, c = draw(source)
    assert torch.equal(images(trained, z, c), images(network, z, c))
    gray, rgb = described(channels=1, mask_channels=1), described(mask_channels=1)
    trained, network, _ = pair(Generator, transfer_generator, gray, rgb)
    before, after = images(trained, z, c), images(network, z, c)
    torch.testing.assert_close(after[:, :3], before[:, :1].expand(-1, 3, -1, -1))
    torch.testing.assert_close(after[:, 3:], before[:, 1:])
