"""Masks at another size, against sums over areas in float64, OpenCV's INTER_AREA, and the images' own geometry."""

import cv2
import numpy as np
import pytest
from PIL import Image

from stylegan_ada.datasets.masks.area import fitted_mask
from stylegan_ada.datasets.reading.decode import to_array


@pytest.fixture
def mask() -> np.ndarray:
    return (np.random.default_rng(0).random((2, 60, 90)) < 0.3).astype(np.float32)


@pytest.mark.parametrize(("height", "width"), [(30, 45), (20, 30), (17, 23), (60, 90)])
def test_stretched_masks_are_means_over_areas(mask: np.ndarray, height: int, width: int) -> None:
    expected = np.stack([cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in mask])
    np.testing.assert_allclose(fitted_mask(mask, height, width, "stretch"), expected, atol=1e-5)


@pytest.mark.parametrize("background", ["black", "edge", "reflect"])
@pytest.mark.parametrize(
    ("fit", "height", "width"),
    [
        *(("crop", 32, 32), ("crop", 20, 40), ("stretch", 32, 32), ("stretch", 20, 40)),
        *(("pad", 32, 32), ("pad", 20, 40), ("pad", 64, 96)),
    ],
)
def test_masks_move_as_their_images_do(fit: str, background: str, height: int, width: int) -> None:
    """A white disc on black is its own mask."""
    y, x = np.mgrid[:60, :90]
    disc = ((x - 50) ** 2 + (y - 25) ** 2 < 15**2).astype(np.uint8)
    image = to_array(
        Image.fromarray(disc * 255), height=height, width=width, channels=1, fit=fit, background=background
    )
    found = fitted_mask(disc[None].astype(np.float32), height, width, fit, background)
    assert found.shape == (1, height, width)
    difference = np.abs(found[0] - image[0] / 255)
    assert difference.mean() < 0.02  # the images' filter overshoots beside edges
    assert ((found[0] >= 0.5) != (image[0] >= 128)).mean() < 0.01


def test_a_thin_crack_keeps_its_area() -> None:
    crack = np.zeros((1, 64, 64), np.float32)
    crack[0, :, 31] = 1
    found = fitted_mask(crack, 8, 8, "crop")
    assert found.sum() == pytest.approx(8 * 8 / 64)
    assert found.max() == pytest.approx(1 / 8)
