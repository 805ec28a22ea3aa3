"""Images padded to a size, and what lies behind transparent pixels."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.reading.decode import open_image, to_array
from stylegan_ada.datasets.reading.high_bit_depth import fitted
from stylegan_ada.errors import UserError

RANDOM = np.random.default_rng(0)
WIDE = RANDOM.integers(0, 256, (4, 9, 3), dtype=np.uint8)


def _pad(pixels: np.ndarray, height: int, width: int, background: str, channels: int = 3) -> np.ndarray:
    image = Image.fromarray(pixels)
    return to_array(image, height=height, width=width, channels=channels, fit="pad", background=background)


@pytest.mark.parametrize(
    ("background", "border"), [("edge", cv2.BORDER_REPLICATE), ("reflect", cv2.BORDER_REFLECT_101)]
)
def test_a_border_goes_on_beyond_the_image(background: str, border: int) -> None:
    expected = cv2.copyMakeBorder(WIDE, 2, 3, 1, 2, border)  # an odd rest lies below and at the right
    np.testing.assert_array_equal(_pad(WIDE, 9, 12, background).transpose(1, 2, 0), expected)


def test_a_color_surrounds_the_image() -> None:
    found = _pad(WIDE, 9, 12, "#0a141e").transpose(1, 2, 0)
    expected = cv2.copyMakeBorder(WIDE, 2, 3, 1, 2, cv2.BORDER_CONSTANT, value=(10, 20, 30))
    np.testing.assert_array_equal(found, expected)
    gray = _pad(WIDE[..., 0], 9, 9, "#0a141e", channels=1)
    assert (gray[0, :2] == round(10 * 0.299 + 20 * 0.587 + 30 * 0.114)).all()


def test_a_large_image_is_scaled_to_fit_and_a_small_one_never_enlarged() -> None:
    large = RANDOM.integers(0, 256, (20, 40), dtype=np.uint8)
    found = _pad(large, 16, 24, "black", channels=1)[0]
    inside = np.asarray(Image.fromarray(large).resize((24, 12), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(found[2:14], inside)
    assert not found[:2].any()
    assert not found[14:].any()
    assert (_pad(np.full((1, 1), 77, np.uint8), 8, 8, "reflect", channels=1) == 77).all()


def test_a_set_of_all_sizes_can_be_padded(save: Callable[..., Any], folder: Path) -> None:
    small = save("dog/small.png", 3, 5)
    found = load_dataset(str(folder), Preparation(size=(8, 16), fit="pad", background="black"))
    assert found.image_shape == (3, 8, 16)
    image = found.images[found.names.index("dog/small.png")].transpose(1, 2, 0)
    np.testing.assert_array_equal(image[2:5, 5:10], small)
    assert not image[:2].any()
    with pytest.raises(UserError, match="7 images are smaller than 8x16"):
        load_dataset(str(folder), Preparation(size=(8, 16)))


def test_values_of_more_than_8_bits_are_padded_with_the_ends_of_the_window() -> None:
    values = np.arange(8, dtype=np.float32).reshape(2, 4, 1) - 500
    for background, value in {"white": 400, "black": -1000}.items():
        found = fitted(values, 4, 4, 1, "pad", background, (-1000, 400))
        np.testing.assert_array_equal(found[0, 1:3], values[:, :, 0])
        assert (found[0, [0, 3]] == value).all()
    np.testing.assert_array_equal(fitted(values, 4, 4, 1, "pad", "edge")[0, 0], values[0, :, 0])


def test_other_colors_are_refused_with_more_than_8_bits(tmp_path: Path) -> None:
    for index in range(2):
        Image.fromarray(np.full((8, 8), 300 * index, np.uint16)).save(tmp_path / f"{index}.png")
    with pytest.raises(UserError, match="`background` red: with more than 8 bits give black, white, edge or reflect"):
        load_dataset(str(tmp_path), Preparation(size=8, background="red"))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_transparent_pixels_lie_on_the_background(mode: str) -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, :, 3] = 255
    image = Image.fromarray(pixels)
    if mode == "LA":
        image = image.convert(mode)
    stream = io.BytesIO()
    if mode == "P":
        image = Image.fromarray(np.array([[0, 0], [1, 1]], np.uint8)).convert("P")
        image.putpalette([0, 0, 0, 9, 9, 9])
        image.save(stream, "PNG", transparency=1)
    else:
        image.save(stream, "PNG")
    for background, behind in {"white": 255, "gray": 128, "edge": 255, "black": 0}.items():
        found = np.asarray(open_image(stream, background).convert("L"))
        np.testing.assert_array_equal(found, [[0, 0], [behind, behind]])


def test_unknown_backgrounds_are_refused(folder: Path) -> None:
    for background in ("blau", "#12", "#11223344", "mirror"):
        with pytest.raises(UserError, match=f"`background` {background}: give a colour"):
            load_dataset(str(folder), Preparation(size=8, background=background))


def test_what_was_before_has_its_fingerprint(tmp_path: Path) -> None:
    """Of a set in colour and a transparent image, by the version before there were backgrounds."""
    ramp = np.arange(10 * 8 * 4, dtype=np.uint32).reshape(10, 8, 4) % 256
    for index in range(3):
        Image.fromarray((ramp * (index + 1) % 256).astype(np.uint8)).save(tmp_path / f"{index}.png")
    assert load_dataset(str(tmp_path), Preparation(size=8)).fingerprint.startswith("0b9536ca06ff1fac")
