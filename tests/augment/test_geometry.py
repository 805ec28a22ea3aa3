"""Tolerances: images in [-1, 1] whose shortest wave is 2 (side - 1) / 3 pixels, so 21 pixels or more."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from scipy.stats import binomtest, kstest, norm
from torch import Tensor

from stylegan_ada.augment.geometry import Warp, draw_geometry
from stylegan_ada.random import Draws

OFF, ON = 0.9, 0.0
SMOOTH = 0.004  # largest error on those images where nothing is reduced in size


def scale(x: float, y: float) -> np.ndarray:
    return np.diag([x, y, 1.0])


def rotate(angle: float) -> np.ndarray:
    """Clockwise on the screen, where y points down."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def translate(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])


def source_coordinates(forward: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of the result comes from, under a map of the image about its centre."""
    y, x = np.mgrid[:height, :width].astype(float)
    centred = np.stack([x - (width - 1) / 2, y - (height - 1) / 2, np.ones_like(x)])
    source = np.einsum("ij,jhw->ihw", np.linalg.inv(forward), centred)
    return source[0] + (width - 1) / 2, source[1] + (height - 1) / 2


def everything(height: int, width: int) -> np.ndarray:
    scaled = rotate(0.4 * np.pi) @ scale(2**0.2, 2**0.2)
    stretched = rotate(-0.6 * np.pi) @ scale(2**0.2, 2**-0.2) @ scaled
    return translate(0.0625 * width, -0.1625 * height) @ stretched


Case = tuple[list[float], list[float], list[float], list[float], Callable[[int, int], np.ndarray]]
CASES: dict[str, Case] = {
    # gates (scale, rotation before, stretch, rotation after, shift); normals; angles as parts of [-pi, pi]; definition
    "nothing": ([OFF] * 5, [2, 2], [1, 1], [0.3, 0.3], lambda h, w: np.eye(3)),
    "scale up": ([ON, OFF, OFF, OFF, OFF], [2, 2], [1, 1], [0.3, 0.3], lambda h, w: scale(2**0.4, 2**0.4)),
    "scale down": ([ON, OFF, OFF, OFF, OFF], [-1, 2], [1, 1], [0.3, 0.3], lambda h, w: scale(2**-0.2, 2**-0.2)),
    "rotation before": ([OFF, ON, OFF, OFF, OFF], [2, 2], [1, 1], [0.7, 0.3], lambda h, w: rotate(0.4 * np.pi)),
    "stretch": ([OFF, OFF, ON, OFF, OFF], [2, 1], [1, 1], [0.7, 0.3], lambda h, w: scale(2**0.2, 2**-0.2)),
    "rotation after": ([OFF, OFF, OFF, ON, OFF], [2, 2], [1, 1], [0.7, 0.3], lambda h, w: rotate(-0.4 * np.pi)),
    "upside down": ([OFF, OFF, OFF, ON, OFF], [2, 2], [1, 1], [0.7, 0.0], lambda h, w: rotate(-np.pi)),
    "shift": (
        [OFF, OFF, OFF, OFF, ON],
        [2, 2],
        [0.5, -1.3],
        [0.7, 0.3],
        lambda h, w: translate(0.0625 * w, -0.1625 * h),
    ),
    "everything": ([ON] * 5, [1, 1], [0.5, -1.3], [0.7, 0.2], everything),
}


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 32)])
@pytest.mark.parametrize("case", CASES)
def test_warped_images_are_those_of_the_definition(
    scripted: type, half: Tensor, smooth_image: Callable, height: int, width: int, case: str
) -> None:
    gates, factors, shifts, angles, definition = CASES[case]
    f = smooth_image(height, width)
    y, x = np.mgrid[:height, :width]
    image = torch.from_numpy(f(x, y))[None, None]
    geometry = draw_geometry(scripted(gates, factors, shifts, angles), half, height, width)
    result = Warp(height, width)(image, geometry)[0, 0].numpy()
    source_x, source_y = source_coordinates(definition(height, width), height, width)
    # the function itself continues the image beyond its border as mirrors do
    np.testing.assert_allclose(result, f(source_x, source_y), rtol=0, atol=SMOOTH if case != "nothing" else 1e-6)


def test_scipy_warps_alike(smooth_image: Callable) -> None:
    f = smooth_image(48, 32)
    y, x = np.mgrid[:48, :32]
    image = f(x, y)
    forward = translate(3.3, -7.7) @ rotate(0.5) @ scale(1.3, 0.9)
    inverse = np.linalg.inv(forward)
    result = Warp(48, 32)(torch.from_numpy(image)[None, None], torch.from_numpy(inverse)[None])[0, 0].numpy()
    swap = [1, 0]  # scipy counts rows first
    matrix = inverse[:2, :2][swap][:, swap]
    centre = np.array([47 / 2, 31 / 2])
    offset = centre - matrix @ centre + inverse[:2, 2][swap]
    expected = affine_transform(image, matrix, offset, order=5, mode="mirror")
    np.testing.assert_allclose(result, expected, rtol=0, atol=SMOOTH)


def test_waves_too_short_for_the_result_vanish() -> None:
    """Reduced to half its size, a wave at 0.9 of the Nyquist frequency must not fold back into a longer one."""
    x = np.arange(64.0)
    wave = torch.from_numpy(np.cos(0.9 * np.pi * x))[None, None, None].expand(1, 1, 64, 64)
    matrix = torch.from_numpy(np.linalg.inv(scale(0.5, 0.5)))[None]
    assert Warp(64, 64)(wave, matrix).square().mean() < 0.02 * wave.square().mean()


def test_the_identity_keeps_white_noise() -> None:
    for side, tolerance in [(16, 1e-5), (256, 1e-4)]:
        images = 2 * torch.rand(2, 1, side, side + 2, generator=torch.Generator().manual_seed(0)) - 1
        result = Warp(side, side + 2)(images, torch.eye(3).expand(2, 3, 3))
        torch.testing.assert_close(result, images, rtol=0, atol=tolerance)


def test_whole_pixel_shifts_keep_white_noise() -> None:
    images = torch.rand(1, 2, 16, 20, dtype=torch.float64)
    matrix = torch.from_numpy(np.linalg.inv(translate(3, -2)))[None]
    result = Warp(16, 20)(images, matrix)
    torch.testing.assert_close(result[:, :, 4:-8, 9:-6], images[:, :, 6:-6, 6:-9], rtol=0, atol=1e-5)


COUNT = 4000


@pytest.fixture(scope="module")
def decomposed() -> Callable[[float], dict[str, np.ndarray]]:
    def draw(p: float) -> dict[str, np.ndarray]:
        matrices = draw_geometry(Draws(0, "test", torch.arange(COUNT)), torch.tensor(p), 100, 200)
        forward = np.linalg.inv(matrices.numpy().astype(float))
        singular = np.linalg.svd(forward[:, :2, :2], compute_uv=False)
        return {
            "scale": np.log2(singular.prod(axis=1)) / 2,
            "stretch": np.log2(singular[:, 0] / singular[:, 1]) / 2,  # of either sign; here its size
            "turn": np.arctan2(forward[:, 1, 0] - forward[:, 0, 1], forward[:, 0, 0] + forward[:, 1, 1]),
            "right": forward[:, 0, 2] / 200,
            "down": forward[:, 1, 2] / 100,
        }

    return draw


@pytest.mark.parametrize("p", [0.2, 0.7])
def test_each_of_four_fires_with_probability_p(decomposed: Callable, p: float) -> None:
    drawn = decomposed(p)
    for name in ("scale", "stretch", "turn", "right", "down"):
        fired = int((np.abs(drawn[name]) > 1e-5).sum())
        assert binomtest(fired, COUNT, p).pvalue > 1e-4, name


def test_strengths_are_those_of_the_paper(decomposed: Callable) -> None:
    drawn = decomposed(1.0)
    assert kstest(drawn["scale"], norm(scale=0.2).cdf).pvalue > 1e-4
    assert kstest(drawn["stretch"], lambda x: 2 * norm(scale=0.2).cdf(x) - 1).pvalue > 1e-4
    assert kstest(drawn["right"], norm(scale=0.125).cdf).pvalue > 1e-4
    assert kstest(drawn["down"], norm(scale=0.125).cdf).pvalue > 1e-4
    assert kstest(drawn["turn"] / np.pi, lambda x: (x + 1) / 2).pvalue > 1e-4
