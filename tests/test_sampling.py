from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from stylegan_ada import load_generator
from stylegan_ada.checkpoint import GeneratorInfo, save_generator
from stylegan_ada.config import NetworkConfig
from stylegan_ada.errors import UserError
from stylegan_ada.networks import Generator
from stylegan_ada.sampling import TrainedGenerator


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Any]:
    """A generator of random weights, saved and loaded."""

    def generator(
        classes: tuple[Any, ...] = ("cat", "dog", "eel"),
        counts: tuple[int, int, int] = (70, 20, 10),
        precision: str = "fp32",
    ) -> TrainedGenerator:
        net = NetworkConfig(
            channels=3, height=16, width=24, c_dim=len(classes), z_dim=8, w_dim=8, channel_base=64, channel_max=8,
            precision=precision,
        )  # fmt: skip
        network = Generator(net)
        for name, parameter in network.named_parameters():
            parameter.data += 0.3 * torch.randn_like(parameter) if "noise" not in name else 0.1
        network.w_mean += torch.randn_like(network.w_mean)
        info = GeneratorInfo(network=net, classes=classes, class_counts=counts[: len(classes)], images_seen=5)
        save_generator(tmp_path / "generator.safetensors", network, info)
        return load_generator(tmp_path)

    return generator


def test_what_it_tells(make: Callable[..., Any]) -> None:
    generator = make()
    assert generator.classes == ("cat", "dog", "eel")
    assert generator.image_shape == (3, 16, 24)
    assert generator.info.images_seen == 5


def test_sample_is_uint8_nhwc(make: Callable[..., Any]) -> None:
    images = make().sample([3, 4], ["cat", "dog"])
    assert images.dtype == np.uint8
    assert images.shape == (2, 16, 24, 3)
    assert make().sample([]).shape == (0, 16, 24, 3)


def test_a_seed_gives_its_image_in_any_batch(make: Callable[..., Any]) -> None:
    generator = make()
    together = generator.sample(range(20), batch_size=20).astype(int)
    apart = generator.sample(range(20), batch_size=3).astype(int)
    alone = generator.sample([7]).astype(int)
    assert np.abs(together - apart).max() <= 1
    assert np.abs(together[7] - alone[0]).max() <= 1
    assert np.abs(together[7] - together[8]).max() > 10


def test_labels_are_drawn_in_the_set_s_shares(make: Callable[..., Any]) -> None:
    counts = Counter(make().labels_for(range(2000)))
    for name, share in (("cat", 0.7), ("dog", 0.2), ("eel", 0.1)):
        assert binomtest(counts[name], 2000, share).pvalue > 0.001


def test_psi_zero_is_the_class_s_mean_image(make: Callable[..., Any]) -> None:
    generator = make()
    images = generator.from_z(torch.randn(4, 8), ["cat", "cat", "dog", "dog"], truncation_psi=0.0, noise="none")
    torch.testing.assert_close(images[0], images[1])
    torch.testing.assert_close(images[2], images[3])
    assert not torch.allclose(images[0], images[2], atol=1e-2)


def test_noise_modes(make: Callable[..., Any]) -> None:
    generator = make()
    z, labels = torch.randn(1, 8), ["cat"]
    same = [generator.from_z(z, labels, noise=mode) for mode in ("const", "const", "none", "none")]
    assert torch.equal(same[0], same[1])
    assert torch.equal(same[2], same[3])
    assert not torch.equal(same[0], same[2])
    assert not torch.equal(generator.from_z(z, labels), generator.from_z(z, labels))


def test_label_vectors_do_as_names_do(make: Callable[..., Any]) -> None:
    generator = make()
    z = torch.randn(2, 8)
    by_name = generator.from_z(z, ["dog", "eel"], noise="const")
    assert torch.equal(by_name, generator.from_z(z, torch.eye(3)[[1, 2]], noise="const"))


def test_unlabelled(make: Callable[..., Any]) -> None:
    generator = make(classes=())
    assert generator.sample([1, 2]).shape == (2, 16, 24, 3)
    with pytest.raises(UserError, match="trained without labels"):
        generator.sample([1], ["cat"])


def test_mistakes_are_named(make: Callable[..., Any]) -> None:
    generator = make()
    with pytest.raises(UserError, match=r"`label` dgo: no such class, did you mean 'dog'\?"):
        generator.sample([1], ["dgo"])
    with pytest.raises(UserError, match="1 labels for 2 images"):
        generator.from_z(torch.randn(2, 8), ["dog"])
    with pytest.raises(UserError, match=r"did you mean 'const'\?"):
        generator.from_z(torch.randn(1, 8), ["dog"], noise="constant")
    with pytest.raises(UserError, match="label vectors of shape"):
        generator.from_z(torch.randn(1, 8), torch.eye(2))


def test_loading_leaves_the_caller_s_random_numbers_alone(make: Callable[..., Any], tmp_path: Path) -> None:
    make()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    load_generator(tmp_path)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_generator_trained_in_half_precision_makes_images_in_full(make: Callable[..., Any], precision: str) -> None:
    """Else a seed's image would depend on its batch."""
    generator = make(precision=precision)
    assert all(block.dtype is None for block in generator.network.synthesis.blocks)
    alone = np.concatenate([generator.sample([seed]) for seed in range(12)]).astype(int)
    assert np.abs(generator.sample(range(12)).astype(int) - alone).max() <= 1


def test_sampling_in_bf16_is_near_and_not_the_same(make: Callable[..., Any], tmp_path: Path) -> None:
    full = make()
    half = load_generator(tmp_path, precision="bf16")
    exact, near = full.sample(range(8)).astype(int), half.sample(range(8)).astype(int)
    assert 0 < np.abs(exact - near).mean() < 1
    assert np.percentile(np.abs(exact - near), 99) <= 6


def test_unknown_precision(make: Callable[..., Any], tmp_path: Path) -> None:
    make()
    with pytest.raises(UserError, match="did you mean 'bf16'"):
        load_generator(tmp_path, precision="bf15")
