"""The networks against a second implementation in float64: explicit weights per image, zero insertion."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d
from torch.nn import functional

from stylegan_ada.config import NetworkConfig
from stylegan_ada.networks import Discriminator, Generator
from stylegan_ada.networks.discriminator import minibatch_std
from stylegan_ada.networks.mapping import MappingNetwork
from stylegan_ada.networks.synthesis import SynthesisNetwork

KERNEL = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def config(**changes: int | str) -> NetworkConfig:
    return NetworkConfig(
        **{
            "channels": 3,
            "height": 16,
            "width": 16,
            "c_dim": 3,
            "z_dim": 8,
            "w_dim": 8,
            "channel_base": 64,
            "channel_max": 8,
            **changes,
        }
    )


def fir(image: np.ndarray, gain: int = 1.0) -> np.ndarray:
    return convolve2d(image, KERNEL, mode="full") * gain


def each_channel(function: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    return np.stack([function(channel) for channel in x])


def zero_insert(channel: np.ndarray) -> np.ndarray:
    out = np.zeros((2 * channel.shape[0], 2 * channel.shape[1]))
    out[::2, ::2] = channel
    return out


def upsample(x: np.ndarray) -> np.ndarray:
    """[C, H, W] -> twice the size: zeros between pixels, FIR with gain 4, aligned."""
    return each_channel(lambda channel: fir(zero_insert(channel), 4)[1:-2, 1:-2], x)


def lrelu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x) * math.sqrt(2)


def correlate(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """'Same' cross-correlation: x [I, H, W], weight [O, I, k, k]."""
    return functional.conv2d(torch.tensor(x)[None], torch.tensor(weight), padding=weight.shape[-1] // 2)[0].numpy()


def values(module: Discriminator | MappingNetwork | SynthesisNetwork) -> dict[str, np.ndarray]:
    return {name: tensor.detach().double().numpy() for name, tensor in module.state_dict().items()}


def linear(x: np.ndarray, p: dict[str, np.ndarray], name: str) -> np.ndarray:
    return x @ p[f"{name}.weight"].T / math.sqrt(x.shape[-1]) + p[f"{name}.bias"]


def reference_synthesis(network: SynthesisNetwork, w: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """One image from one w for all layers; noise [noise_size]."""
    p = values(network)
    image, x, used = None, p["blocks.0.learned_input"], 0
    for level, (height, width) in enumerate(network_shapes(network)):
        for layer in range(1 if level == 0 else 2):
            name = f"blocks.{level}.layers.{layer}"
            weight = p[f"{name}.weight"] * linear(w, p, f"{name}.affine")[None, :, None, None]
            weight = weight / np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
            if level > 0 and layer == 0:
                # transposed convolution: every pixel paints the kernel onto a grid twice as fine
                full = functional.conv_transpose2d(
                    torch.tensor(x)[None], torch.tensor(weight).transpose(0, 1), stride=2
                )[0].numpy()
                x = each_channel(lambda channel: fir(channel, 4)[2:-2, 2:-2], full)
            else:
                x = correlate(x, weight)
            field = noise[used : used + height * width].reshape(height, width)
            used += height * width
            x = lrelu(x + field * p[f"{name}.noise_strength"] + p[f"{name}.bias"][:, None, None])
        name = f"blocks.{level}.to_rgb"
        styles = linear(w, p, f"{name}.affine") / math.sqrt(x.shape[0])
        rgb = correlate(x, p[f"{name}.weight"] * styles[None, :, None, None]) + p[f"{name}.bias"][:, None, None]
        image = rgb if image is None else upsample(image) + rgb
    return image


def network_shapes(network: SynthesisNetwork) -> list[tuple[int, int]]:
    return [network.noise_shapes[0], *network.noise_shapes[1::2]]


def randomize(module: Any) -> None:
    """Every parameter away from its initial zero or one, so that each one counts."""
    for parameter in module.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)


@pytest.mark.parametrize("size", [(16, 16), (24, 40)])
def test_synthesis_equals_reference(size: tuple[int, int]) -> None:
    network = Generator(config(height=size[0], width=size[1])).synthesis.double()
    randomize(network)
    w, noise = torch.randn(3, 8).double(), torch.randn(3, network.noise_size).double()
    images = network(w[:, None].expand(-1, network.num_ws, -1), noise)
    for index in range(3):
        expected = reference_synthesis(network, w[index].numpy(), noise[index].numpy())
        np.testing.assert_allclose(images[index].detach().numpy(), expected, atol=1e-9)


def test_mapping_equals_reference() -> None:
    mapping = Generator(config(mapping_depth=3)).mapping.double()
    randomize(mapping)
    z, c = torch.randn(4, 8).double(), torch.eye(3)[[0, 1, 2, 1]].double()
    p = values(mapping)
    unit = [v / np.sqrt((v**2).mean(axis=1, keepdims=True)) for v in (z.numpy(), linear(c.numpy(), p, "embed"))]
    x = np.concatenate(unit, axis=1)
    for layer in range(3):
        weight, bias = p[f"layers.{layer}.weight"] * 0.01, p[f"layers.{layer}.bias"] * 0.01
        x = lrelu(x @ weight.T / math.sqrt(x.shape[1]) + bias)
    np.testing.assert_allclose(mapping(z, c).detach().numpy(), x, rtol=1e-6)


def reference_discriminator(
    network: Discriminator,
    images: np.ndarray,
    c: np.ndarray,
    levels: int,
    label_depth: int = 2,
    transitional: bool = False,
    label_head: str = "inner",
) -> np.ndarray:
    p = values(network)

    def conv(x: np.ndarray, name: str, down: bool = False, act: bool = True) -> np.ndarray:
        weight = p[f"{name}.weight"]
        weight = weight / math.sqrt(weight[0].size)
        k = weight.shape[-1]
        if down:
            # filter, then convolve without padding, then keep every second pixel; padding as for the plain 'same' size
            pad = k // 2
            x = each_channel(lambda channel: fir(np.pad(channel, pad))[2:-2, 2:-2], x)
            x = functional.conv2d(torch.tensor(x)[None], torch.tensor(weight))[0].numpy()[:, ::2, ::2]
        else:
            x = correlate(x, weight)
        if f"{name}.bias" in p:
            x = x + p[f"{name}.bias"][:, None, None]
        return lrelu(x) if act else x

    features = []
    for image in images:
        x = conv(image, "from_rgb")
        for block in range(levels - 1):
            name = f"blocks.{block}"
            skip = conv(x, f"{name}.skip", down=True, act=False)
            x = (skip + conv(conv(x, f"{name}.conv0"), f"{name}.conv1", down=True)) * math.sqrt(0.5)
        features.append(x)
    features = np.stack(features)
    deviation = np.sqrt(features.var(axis=0) + 1e-8).mean()  # one group of 4
    logits = []
    for x, vector in zip(features, c, strict=True):
        x = conv(np.concatenate([x, np.full((1, *x.shape[1:]), deviation)]), "conv")
        hidden = lrelu(linear(x.reshape(1, -1), p, "fc"))
        x = linear(hidden, p, "out")[0]
        label = linear(vector[None], p, "mapping.embed")
        label = label / np.sqrt((label**2).mean())
        for layer in range(label_depth):
            weight, bias = p[f"mapping.layers.{layer}.weight"] * 0.01, p[f"mapping.layers.{layer}.bias"] * 0.01
            label = lrelu(label @ weight.T / math.sqrt(label.shape[1]) + bias)
        conditional = (x * label[0]).sum() / math.sqrt(len(x))
        alone = 0 if label_head == "inner" and not transitional else linear(hidden, p, "unconditional")[0, 0]
        logits.append([alone, conditional] if transitional else alone + conditional)
    return np.array(logits).squeeze()


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"mapping_depth": 3},
        {"label_depth": 0},
        {"label_depth": 1, "mapping_depth": 4, "transitional": True},
        {"label_depth": 0, "label_head": "full"},
        {"label_head": "full", "transitional": True},
    ],
)
def test_discriminator_equals_reference(kind: dict[str, Any]) -> None:
    network = Discriminator(config(**kind)).double()
    randomize(network)
    images, c = torch.randn(4, 3, 16, 16).double(), torch.eye(3)[[0, 1, 2, 0]].double()
    depth = kind.get("label_depth", kind.get("mapping_depth", 2))
    head = {name: value for name, value in kind.items() if name in ("label_head", "transitional")}
    expected = reference_discriminator(network, images.numpy(), c.numpy(), levels=3, label_depth=depth, **head)
    np.testing.assert_allclose(network(images, c).detach().numpy(), expected, rtol=1e-6)


def test_minibatch_std_is_the_same_for_a_batch_cut_at_groups() -> None:
    x = torch.randn(12, 5, 2, 2)
    whole = minibatch_std(x)
    assert torch.equal(whole, torch.cat([minibatch_std(part) for part in x.split(4)]))
    expected = x[4:8].double().var(dim=0, correction=0).add(1e-8).sqrt().mean()
    torch.testing.assert_close(whole[4:8, 5].double(), expected.expand(4, 2, 2), rtol=1e-5, atol=0)


@pytest.mark.parametrize(("count", "group"), [(6, 3), (5, 1), (2, 2), (8, 4)])
def test_minibatch_std_takes_the_largest_group_that_divides(count: int, group: int) -> None:
    feature = minibatch_std(torch.randn(count, 3, 1, 1))[:, 3, 0, 0]
    assert len(feature.unique()) == count // group or (group == 1 and len(feature.unique()) == 1)


@pytest.mark.parametrize("shape", [(1, 4, 4), (2, 28, 28), (4, 20, 128), (3, 64, 48)])
@pytest.mark.parametrize("c_dim", [0, 3])
def test_shapes(shape: tuple[int, int, int], c_dim: int) -> None:
    net = config(channels=shape[0], height=shape[1], width=shape[2], c_dim=c_dim)
    generator, discriminator = Generator(net), Discriminator(net)
    z, c = torch.randn(4, 8), torch.eye(3)[:, :c_dim][[0, 1, 2, 0]]
    images = generator(z, c, generator.synthesis.noise_constant[None])
    assert images.shape == (4, *shape)
    assert discriminator(images, c).shape == (4,)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_is_near_fp32(precision: str) -> None:
    generator, half = Generator(config()), Generator(config(precision=precision))
    discriminator, half_discriminator = Discriminator(config()), Discriminator(config(precision=precision))
    half.load_state_dict(generator.state_dict())
    half_discriminator.load_state_dict(discriminator.state_dict())
    z, c = torch.randn(4, 8), torch.eye(3)[[0, 1, 2, 0]]
    images = generator(z, c, None)
    half_images = half(z, c, None)
    assert half_images.dtype == torch.float32
    assert 0 < (images - half_images).abs().max() < 0.06 * images.abs().max()
    logits, half_logits = discriminator(images, c), half_discriminator(images, c)
    assert 0 < (logits - half_logits).abs().max() < 0.06


def test_fp16_is_clamped() -> None:
    net = config(precision="fp16")
    generator = Generator(net)
    layer = generator.synthesis.blocks[-1].layers[-1]
    layer.bias.data += 1e4
    features = layer(torch.randn(1, 4, 16, 16).half(), torch.randn(1, 8), None)
    assert features.max() == 256


def test_labels_and_noise_change_the_image() -> None:
    generator = Generator(config())
    randomize(generator)
    z = torch.randn(1, 8)
    noise = torch.randn(2, generator.synthesis.noise_size)
    image = generator(z, torch.eye(3)[[0]], noise[:1])
    assert not torch.allclose(image, generator(z, torch.eye(3)[[1]], noise[:1]))
    assert not torch.allclose(image, generator(z, torch.eye(3)[[0]], noise[1:]))


def test_labels_are_blended_in() -> None:
    """At weight 0 all classes have one image; at 1 a transitional generator is a plain one with the same parameters."""
    plain, generator = Generator(config()), Generator(config(transitional=True))
    randomize(plain)
    generator.load_state_dict({**plain.state_dict(), "mapping.label_weight": torch.tensor(0.0)})
    z, noise = torch.randn(1, 8).expand(3, -1), torch.randn(1, generator.synthesis.noise_size)
    images = generator(z, torch.eye(3), noise)
    assert torch.equal(images[0], images[1])
    generator.mapping.label_weight.fill_(1)
    assert torch.equal(generator(z, torch.eye(3), noise), plain(z, torch.eye(3), noise))
    generator.mapping.label_weight.fill_(0.5)
    embedded = generator.mapping.embed(torch.eye(3)).double()
    unit = embedded / embedded.square().mean(dim=1, keepdim=True).sqrt()
    unit_z = z.double() / z.double().square().mean(dim=1, keepdim=True).sqrt()
    expected = generator.mapping.double().layers(torch.cat([unit_z, unit / 2], dim=1))
    torch.testing.assert_close(generator.mapping(z.double(), torch.eye(3).double()), expected)


def test_w_mean_is_a_running_mean_per_class() -> None:
    generator = Generator(config())
    rng = np.random.default_rng(0)
    expected, seen = np.zeros((3, 8)), np.zeros(3)
    for _ in range(300):
        classes = rng.integers(0, 2, 5)  # class 2 never occurs
        w = rng.normal(size=(5, 8)) + classes[:, None]
        statistics = generator.w_statistics(torch.tensor(w).float(), torch.eye(3)[torch.tensor(classes)])
        generator.update_w_mean(statistics, beta=0.99)
        for k in set(classes):
            seen[k] += (classes == k).sum()
            step = max((classes == k).sum() / seen[k], 0.01)
            expected[k] += step * (w[classes == k].mean(axis=0) - expected[k])
    np.testing.assert_allclose(generator.w_mean.numpy(), expected, atol=1e-5)
    assert abs(generator.w_mean[1].mean() - 1) < 0.1
    assert torch.equal(generator.w_mean[2], torch.zeros(8))


def test_truncation_moves_w_to_the_mean_of_its_class() -> None:
    generator = Generator(config())
    generator.w_mean.copy_(torch.randn(3, 8))
    w, c = torch.randn(3, 8), torch.eye(3)
    assert torch.equal(generator.truncate(w, c, 1.0), w)
    torch.testing.assert_close(generator.truncate(w, c, 0.0), generator.w_mean)
    torch.testing.assert_close(generator.truncate(w, c, 0.5), (w + generator.w_mean) / 2)


def test_initial_activations_are_of_unit_size() -> None:
    """Equalised learning rates: whatever the widths, features neither vanish nor explode."""
    net = NetworkConfig(channels=3, height=64, width=64, channel_base=4096, channel_max=64)
    images = Generator(net)(torch.randn(16, 512), torch.zeros(16, 0), None)
    assert 0.3 < images.std() < 4


def test_no_parameter_is_named_const() -> None:
    assert not [name for name, _ in Generator(config()).named_parameters() if name.split(".")[-1] == "const"]
