"""Values that may stand for nothing measured, and those that do not."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.inspect.inspection import inspect_source

RANDOM = np.random.default_rng(0)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Any]:
    """write(images): a folder of TIFFs without tags of GDAL."""

    def write(images: np.ndarray) -> str:
        (tmp_path / "set").mkdir()
        for index, image in enumerate(images):
            tifffile.imwrite(tmp_path / "set" / f"{index:02}.tif", image)
        return str(tmp_path / "set")

    return write


def smooth(dtype: type = np.float32) -> np.ndarray:
    return RANDOM.normal(115, 4, (20, 40, 40)).astype(dtype)


def warned(folder: str) -> tuple[float, float]:
    """The window that is proposed, by both; None where nothing is warned of."""
    lines = [load_dataset(folder).notes, inspect_source(folder).warnings]
    found = [re.search("give `window` ([^ ]+)$", line) for own in lines for line in own if "of the range" in line]
    assert len(found) in (0, 2), lines
    windows = [tuple(map(float, match[1].split(","))) for match in found]
    assert len(set(windows)) <= 1
    return windows[0] if windows else None


@pytest.mark.parametrize("value", [-9999.0, -3.4028235e38, -32768.0, 1e30])
def test_a_value_for_nothing_measured(write: Callable[..., Any], value: float) -> None:
    images = smooth()
    expected = float(images[:, 6:].min()), float(images[:, 6:].max())
    images[:, :6] = value
    folder = write(images)
    assert warned(folder) == pytest.approx(expected, rel=1e-6)
    assert warned_window_keeps_the_gray_values(folder, warned(folder), images[:, 6:])


def warned_window_keeps_the_gray_values(folder: str, window: tuple[float, float], measured: np.ndarray) -> np.bool_:
    images = load_dataset(folder, Preparation(window=window)).images[:, 0, 6:]
    return np.corrcoef(images.ravel(), measured.ravel())[0, 1] > 0.999


def test_hot_pixels(write: Callable[..., Any]) -> None:
    images = (smooth() * 8 + 200).astype(np.uint16)
    low, high = images.min(), images.max()
    images[7, 3, 3], images[9, 5, 30] = 65535, 60000
    assert warned(write(images)) == (low, high)


def test_both_ends(write: Callable[..., Any]) -> None:
    images = smooth()
    expected = float(images[:, 6:, 1:].min()), float(images[:, 6:, 1:].max())
    images[:, :6], images[:, :, 0] = -9999, 30000
    assert warned(write(images)) == pytest.approx(expected, rel=1e-6)


def test_a_dark_image_with_bright_spots_is_no_fault(write: Callable[..., Any]) -> None:
    spots = RANDOM.normal(100, 5, (20, 40, 40))
    for image in spots:  # fluorescence: dark, with a few bright spots of all brightnesses
        y, x = np.mgrid[:40, :40]
        for _ in range(4):
            centre, height = RANDOM.integers(0, 40, 2), RANDOM.uniform(500, 60000)
            image += height * np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 6)
    assert warned(write(spots.clip(0, 65535).astype(np.uint16))) is None


def test_two_values_are_no_fault(write: Callable[..., Any]) -> None:
    assert warned(write((smooth() > 124).astype(np.uint16) * 65535)) is None


def test_the_range_of_small_values_is_theirs(write: Callable[..., Any]) -> None:
    images = RANDOM.uniform(0.01, 0.02, (3, 20, 20)).astype(np.float32)
    found = load_dataset(write(images))
    assert found.window == pytest.approx((images.min(), images.max()))


def test_inspect_tells_values_in_their_own_units(write: Callable[..., Any]) -> None:
    images = (RANDOM.integers(0, 256, (3, 20, 20)) * 8 - 1000).astype(np.int16)
    found = inspect_source(write(images))
    assert found.value_range == (images.min(), images.max())
    assert found.gray_range is None
