"""What is said of decoded images, by `load_dataset` and by `inspect_source` alike."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.inspect.inspection import inspect_source

RANDOM = np.random.default_rng(0)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Any]:
    def save(name: str, pixels: np.ndarray) -> None:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)

    return save


def color() -> Any:
    return RANDOM.integers(0, 256, (12, 16, 3)).astype(np.uint8)


def said(tmp_path: Path, words: str) -> bool:
    """Whether both say it."""
    lines = [load_dataset(str(tmp_path / "set")).notes, inspect_source(str(tmp_path / "set")).warnings]
    found = [any(re.search(words, line) for line in own) for own in lines]
    assert found[0] == found[1], lines
    return found[0]


def test_an_alpha_of_0_everywhere_hides_nothing(save: Callable[..., Any], tmp_path: Path) -> None:
    pixels = [color() for _ in range(3)]
    for index, own in enumerate(pixels):
        save(f"{index}.png", np.dstack([own, np.zeros((12, 16), np.uint8)]))
    found = load_dataset(str(tmp_path / "set"))
    assert np.array_equal(found.images.transpose(0, 2, 3, 1), np.stack(pixels))
    assert said(tmp_path, "3 images have an alpha of 0 everywhere: it is ignored")
    kept = load_dataset(str(tmp_path / "set"), Preparation(channels=4)).images
    assert np.array_equal(kept[:, :3].transpose(0, 2, 3, 1), np.stack(pixels))
    assert (kept[:, 3] == 255).all()


def test_an_alpha_of_0_in_16_bits(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "set").mkdir()
    pixels = RANDOM.integers(0, 65536, (12, 16, 4)).astype(np.uint16)
    pixels[:, :, 3] = 0
    cv2.imwrite(str(tmp_path / "set/a.png"), pixels)
    found = load_dataset(str(tmp_path / "set"))
    low, high = found.window
    values = found.levels[0] / 65535 * (high - low) + low
    assert np.abs(values.transpose(1, 2, 0) - pixels[:, :, 2::-1]).max() <= 1


def test_a_fourth_band_that_is_hardly_an_alpha(save: Callable[..., Any], tmp_path: Path) -> None:
    save("a.png", np.dstack([color(), RANDOM.integers(20, 90, (12, 16)).astype(np.uint8)]))
    assert said(tmp_path, "1 images are hardly opaque anywhere, by their fourth band: .* `bands` 1,2,3")
    mask = np.zeros((12, 16), np.uint8)
    mask[3:9, 3:9] = 255
    save("a.png", np.dstack([color(), mask]))
    assert not said(tmp_path, "hardly opaque")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_blank_images_and_classes(save: Callable[..., Any], tmp_path: Path, dtype: type) -> None:
    for index in range(3):
        save(f"good/{index}.png", RANDOM.integers(0, 256, (12, 16)).astype(dtype))
        save(f"bad/{index}.png", np.full((12, 16), 9 + index, dtype))
    assert said(tmp_path, r"3 images are blank, of one colour throughout \(first: 'bad/0.png'\)")
    assert said(tmp_path, "^(warning: )?all images of class 'bad' are blank")
    save("bad/3.png", RANDOM.integers(0, 256, (12, 16)).astype(dtype))
    assert said(tmp_path, "3 images are blank")
    assert not said(tmp_path, "all images of class")


def test_gray_saved_in_color(save: Callable[..., Any], tmp_path: Path) -> None:
    for index in range(3):
        save(f"{index}.png", np.repeat(color()[:, :, :1], 3, axis=2))
    assert said(tmp_path, "all 3 images are gray, saved in colour: `channels` gray does")
    save("3.png", color())
    assert not said(tmp_path, "saved in colour")
