import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from stylegan_ada import UserError
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.reading.high_bit_depth import fitted
from stylegan_ada.datasets.reading.opening import open_values
from stylegan_ada.datasets.reading.unreadable import Unreadable

RANDOM = np.random.default_rng(0)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Any]:
    """write(name, array): a 16-bit or float image below tmp_path/set, by OpenCV, which has blue first."""

    def write(name: str, array: np.ndarray) -> Path:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), array[:, :, ::-1] if array.ndim == 3 else array)
        return path

    return write


@pytest.fixture
def folder(write: Callable[..., Any], tmp_path: Path) -> Path:
    """Five gray images of 12 bits, values 100 to 4000."""
    for index in range(5):
        array = RANDOM.integers(100, 4001, (8, 8)).astype(np.uint16)
        array[0, :2] = 100, 4000
        write(f"{index}.png", array)
    return tmp_path / "set"


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 3)])
def test_16_bit_values_are_those_of_the_file(write: Callable[..., Any], suffix: str, shape: tuple[Any, ...]) -> None:
    array = RANDOM.integers(0, 65536, shape).astype(np.uint16)
    with open(write(f"a.{suffix}", array), "rb") as stream:
        values = open_values(stream)
    assert np.array_equal(values, array.reshape(6, 7, -1))


def test_floating_point_values_may_be_negative(write: Callable[..., Any]) -> None:
    array = RANDOM.normal(0, 1000, (6, 7)).astype(np.float32)
    with open(write("a.tiff", array), "rb") as stream:
        assert np.array_equal(open_values(stream)[:, :, 0], array)
    array[2, 3], array[0, 0] = np.nan, -np.inf
    with open(write("b.tiff", array), "rb") as stream:
        values = open_values(stream)[:, :, 0]
    assert np.argwhere(np.isnan(values)).tolist() == [[0, 0], [2, 3]]  # nothing was measured there
    with open(write("c.tiff", array * np.nan), "rb") as stream, pytest.raises(Unreadable, match="all its pixels"):
        open_values(stream)


def test_transparent_color_is_laid_on_white(write: Callable[..., Any]) -> None:
    array = np.full((4, 4, 4), 1000, np.uint16)
    array[:, :, 0] = np.linspace(0, 65535, 4)  # opacity, last in the file
    with open(write("a.png", array), "rb") as stream:
        values = open_values(stream)
    opaque = np.linspace(0, 1, 4)
    np.testing.assert_allclose(
        values, (1000 * opaque + 65535 * (1 - opaque))[None, :, None].repeat(4, 0).repeat(3, 2), atol=1
    )


def test_reducing_keeps_small_differences() -> None:
    """A ramp of 100 values, of which 8 bits would keep none, is scaled as Pillow scales floating-point numbers."""
    ramp = np.tile(np.linspace(30000, 30100, 32, dtype=np.float32), (32, 1))[:, :, None]
    small = fitted(ramp, 8, 8, 1, "stretch")
    expected = ramp.reshape(8, 4, 8, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(small[0, :, 1:-1], expected[:, 1:-1], atol=1.5)
    assert fitted(ramp, 32, 16, 3, "crop").shape == (3, 32, 16)
    assert np.array_equal(fitted(ramp, 32, 16, 1, "crop")[0], ramp[:, 8:24, 0])
    color = RANDOM.uniform(0, 1000, (4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(fitted(color, 4, 4, 1, "crop")[0], color @ [0.299, 0.587, 0.114], rtol=1e-5)


def test_a_set_of_12_bits_keeps_them(folder: Path) -> None:
    found = load_dataset(str(folder))
    assert found.window == (100, 4000)
    assert found.levels.dtype == np.uint16
    values = np.stack([cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for name in found.names])[:, None]
    assert np.array_equal(100 + np.round(found.levels * (3900 / 65535)), values)
    assert found.images.dtype == np.uint8
    assert np.abs(found.images - (values - 100.0) * 255 / 3900).max() <= 0.51
    again = load_dataset(str(folder))
    assert isinstance(again.levels, np.memmap)
    assert again.fingerprint == found.fingerprint


def test_a_window_of_the_users(folder: Path) -> None:
    found = load_dataset(str(folder), Preparation(window=(1000.0, 2000.0)))
    values = np.stack([cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for name in found.names])[:, None]
    expected = (np.clip(values, 1000, 2000) - 1000.0) * 65.535
    assert np.abs(found.levels - expected).max() <= 0.51
    assert found.fingerprint != load_dataset(str(folder)).fingerprint
    assert (
        load_dataset(str(folder), Preparation(window=(100.0, 4000.0))).fingerprint
        == load_dataset(str(folder)).fingerprint
    )


def test_8_bits_on_request_and_in_mixed_sets(folder: Path) -> None:
    plain = load_dataset(str(folder), Preparation(beyond_8_bits=False))
    assert plain.levels is None
    values = cv2.imread(str(folder / plain.names[0]), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(plain.images[0, 0], np.rint(values * (255 / 65535)))
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "shallow.png")
    Image.fromarray(np.zeros((8, 8), np.float32)).save(folder / "float.tiff")
    mixed = load_dataset(str(folder))
    assert mixed.window is None
    assert [name for name, _ in mixed.skipped] == ["float.tiff"]
    with pytest.raises(UserError, match=r"`window`: 1 images have 8 bits \(first: 'shallow.png'\)"):
        load_dataset(str(folder), Preparation(window=(0.0, 1.0)))


def test_an_image_that_cannot_be_read_is_skipped(folder: Path) -> None:
    (folder / "bad.png").write_bytes((folder / "0.png").read_bytes()[:60])
    found = load_dataset(str(folder))
    assert [name for name, _ in found.skipped] == ["bad.png"]
    assert found.window == (100, 4000)


def test_flat_images_have_a_window_too(write: Callable[..., Any], tmp_path: Path) -> None:
    for name in "ab":
        write(f"{name}.png", np.full((4, 4), 7, np.uint16))
    found = load_dataset(str(tmp_path / "set"))
    assert found.window == (7, 8)
    assert not found.levels.any()


def test_a_damaged_cache_is_made_anew(folder: Path, cache: Path) -> None:
    load_dataset(str(folder))
    (levels,) = cache.rglob("*-levels.npy")
    levels.write_bytes(levels.read_bytes()[:-5])
    assert load_dataset(str(folder)).levels.shape == (5, 1, 8, 8)
    (meta,) = cache.rglob("*.json")
    assert json.loads(meta.read_text())["window"] == [100, 4000]
    assert io.BytesIO(levels.read_bytes()).getbuffer().nbytes > 5 * 64 * 2
