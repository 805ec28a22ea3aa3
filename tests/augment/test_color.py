import math

import kornia
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.stats import binomtest, kstest, norm
from torch import Tensor

from stylegan_ada.augment.color import apply_color, draw_color
from stylegan_ada.random import Draws

OFF, ON = 0.9, 0.0
AXIS = np.ones(3) / math.sqrt(3)
NORMALS, UNIFORMS = [1.5, -1.2, 0.8], [0.7, 0.8]


def brightness(x: np.ndarray) -> np.ndarray:
    return x + 0.2 * 1.5


def contrast(x: np.ndarray) -> np.ndarray:
    return x * 2 ** (0.5 * -1.2)


def luma_flip(x: np.ndarray) -> np.ndarray:
    return x - 2 * x.mean(axis=0)


def hue(x: np.ndarray) -> np.ndarray:
    return np.einsum("ij,jhw->ihw", Rotation.from_rotvec(0.6 * np.pi * AXIS).as_matrix(), x)


def saturation(x: np.ndarray) -> np.ndarray:
    gray = x.mean(axis=0)
    return gray + 2**0.8 * (x - gray)


STEPS = (brightness, contrast, luma_flip, hue, saturation)


@pytest.mark.parametrize("fired", [(0,), (1,), (2,), (3,), (4,), (0, 1, 2, 3, 4), ()])
def test_rgb_colors_are_those_of_the_formulas(scripted: type, half: Tensor, fired: tuple[int, ...]) -> None:
    image = 2 * torch.rand(1, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 1
    gates = [ON if step in fired else OFF for step in range(5)]
    result = apply_color(image, draw_color(scripted(gates, NORMALS, UNIFORMS), half, 3))
    expected = image[0].numpy()
    for step in fired:
        expected = STEPS[step](expected)
    np.testing.assert_allclose(result[0].numpy(), expected, rtol=0, atol=0 if not fired else 1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_other_channels_take_brightness_contrast_and_flip_alike(scripted: type, half: Tensor, channels: int) -> None:
    image = torch.randn(1, channels, 4, 5, generator=torch.Generator().manual_seed(1))
    result = apply_color(image, draw_color(scripted([ON] * 5, NORMALS, UNIFORMS), half, channels))
    for channel, ours in zip(image[0].numpy(), result[0].numpy(), strict=True):
        np.testing.assert_allclose(ours, -contrast(brightness(channel)), rtol=0, atol=1e-6)


def test_colors_of_rgba_change_as_those_of_rgb_under_their_alpha(scripted: type, half: Tensor) -> None:
    generator = torch.Generator().manual_seed(1)
    straight, alpha = torch.rand(1, 3, 4, 5, generator=generator), torch.rand(1, 1, 4, 5, generator=generator)
    alpha[0, 0, 0, :2] = torch.tensor([0.0, 1.0])
    image = torch.cat([straight * alpha, alpha], 1) * 2 - 1
    result = apply_color(image, draw_color(scripted([ON] * 5, NORMALS, UNIFORMS), half, 4)) / 2 + 0.5
    expected = apply_color(straight * 2 - 1, draw_color(scripted([ON] * 5, NORMALS, UNIFORMS), half, 3)) / 2 + 0.5
    np.testing.assert_allclose(result[:, :3].numpy(), (expected * alpha).numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(result[:, 3:].numpy(), alpha.numpy(), rtol=0, atol=1e-6)


def test_brightness_is_kornias(scripted: type, half: Tensor) -> None:
    image = torch.rand(1, 3, 4, 5) - 0.5
    result = apply_color(image, draw_color(scripted([ON, OFF, OFF, OFF, OFF], NORMALS, UNIFORMS), half, 3))
    expected = kornia.enhance.adjust_brightness((image + 1) / 2, 0.15)  # in [0, 1], where an offset counts half
    torch.testing.assert_close((result + 1) / 2, expected)


def test_hue_and_luma_flip_keep_what_they_promise(scripted: type, half: Tensor) -> None:
    image = torch.randn(1, 3, 4, 5)
    turned = apply_color(image, draw_color(scripted([OFF, OFF, OFF, ON, OFF], NORMALS, UNIFORMS), half, 3))
    torch.testing.assert_close(turned.mean(1), image.mean(1))  # the gray part
    torch.testing.assert_close(turned.square().sum(1), image.square().sum(1))
    flipped = apply_color(image, draw_color(scripted([OFF, OFF, ON, OFF, OFF], NORMALS, UNIFORMS), half, 3))
    torch.testing.assert_close(flipped.mean(1), -image.mean(1))
    torch.testing.assert_close(flipped - flipped.mean(1, True), image - image.mean(1, True))  # the colored part


COUNT = 4000


def test_gray_gates_fire_with_probability_p() -> None:
    gain, offset = draw_color(Draws(0, "test", torch.arange(COUNT)), torch.tensor(0.3), 1)[:, 0].unbind(1)
    assert binomtest(int((offset != 0).sum()), COUNT, 0.3).pvalue > 1e-4
    assert binomtest(int((gain.abs() != 1).sum()), COUNT, 0.3).pvalue > 1e-4
    assert binomtest(int((gain < 0).sum()), COUNT, 0.15).pvalue > 1e-4  # half of the fired flips do nothing


def test_strengths_are_those_of_the_paper() -> None:
    color = draw_color(Draws(0, "test", torch.arange(COUNT)), torch.tensor(1.0), 3).double()
    colors, offset = color[:, :3, :3], color[:, :3, 3]
    gray = torch.full((3,), 1 / 3, dtype=torch.float64)
    gain = (colors @ torch.ones(3, dtype=torch.float64)) @ gray  # of the gray axis
    volume = torch.linalg.det(colors).abs()  # contrast^3 times saturation^2
    assert kstest(gain.abs().log2(), norm(scale=0.5).cdf).pvalue > 1e-4
    assert kstest((volume / gain.abs() ** 3).log2() / 2, norm(scale=1.0).cdf).pvalue > 1e-4
    assert kstest((offset @ gray) / gain, norm(scale=0.2).cdf).pvalue > 1e-4
    red = torch.tensor([2, -1, -1], dtype=torch.float64)
    green = torch.tensor([0, 1, -1], dtype=torch.float64) * math.sqrt(3)
    turned = colors @ red
    angle = torch.atan2(turned @ green, turned @ red)
    assert kstest(angle / math.pi, lambda x: (x + 1) / 2).pvalue > 1e-4
