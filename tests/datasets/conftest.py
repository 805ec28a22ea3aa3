from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(folder))
    return folder


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., np.ndarray]:
    """save(path, height, width, mode): random pixels written below tmp_path/set, and returned."""
    random = np.random.default_rng(0)

    def save(name: str, height: int = 8, width: int = 8, mode: str = "RGB") -> np.ndarray:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (height, width) if mode == "L" else (height, width, len(mode))
        pixels = random.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return pixels

    return save


@pytest.fixture
def folder(tmp_path: Path, save: Callable[..., np.ndarray]) -> Path:
    """Two classes of three images, 8x8 in colour."""
    for name in ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png", "dog/sub/2.bmp"):
        save(name)
    return tmp_path / "set"
