from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.masks import parse_kinds
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import ImageDataset, load_dataset


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., None]:
    """save(name, pixels, mode): an image below `tmp_path`."""

    def save(name: str, pixels: Any, mode: str | None = None) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(np.asarray(pixels))
        (image if mode is None else image.convert(mode)).save(path)

    return save


@pytest.fixture
def image(save: Callable[..., None]) -> Callable[..., None]:
    """image(*names): images of 8x8 gray noise."""

    def image(*names: str) -> None:
        for index, name in enumerate(names):
            save(name, np.random.default_rng(index).integers(0, 256, (8, 8)).astype(np.uint8))

    return image


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., ImageDataset]:
    """load(**preparation): the set in `tmp_path`, or in the folder `data` of it; kinds as text."""

    def load(data: str = "", masks: str = "auto", mask_kinds: str | None = None, **options: Any) -> ImageDataset:
        preparation = Preparation(masks=masks, mask_kinds=parse_kinds(mask_kinds), **options)
        return load_dataset(str(tmp_path / data), preparation)

    return load


def square(value: int | tuple[int, int, int] = 255, side: int = 8) -> np.ndarray:
    """A mask whose upper left quarter has that value."""
    pixels = np.zeros((side, side) if isinstance(value, int) else (side, side, 3), np.uint8)
    pixels[: side // 2, : side // 2] = value
    return pixels


@pytest.fixture
def quarter() -> Callable[..., np.ndarray]:
    return square
