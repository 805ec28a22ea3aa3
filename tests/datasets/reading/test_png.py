"""PNGs written chunk by chunk (PNG 1.2), with what Pillow and OpenCV do not write themselves."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 65536, (20, 24, 1)).astype(np.uint16)
COLOR = RANDOM.integers(0, 65536, (20, 24, 3)).astype(np.uint16)
TURNS = {
    1: lambda array: array,
    2: np.fliplr,
    3: lambda array: np.rot90(array, 2),
    4: np.flipud,
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: np.rot90(array, -1),
    7: lambda array: np.rot90(array, 2).swapaxes(0, 1),
    8: np.rot90,
}


def chunk(name: bytes, data: bytes, checksum: int | None = None) -> bytes:
    found = zlib.crc32(name + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", found)


def png(array: np.ndarray, before: bytes = b"", after: bytes = b"") -> bytes:
    """[H, W, S] of uint8 or uint16; chunks before and after its pixels."""
    height, width, samples = array.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[samples]
    rows = b"".join(b"\0" + row.astype(array.dtype.newbyteorder(">")).tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, 8 * array.itemsize, kind, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return head + before + chunk(b"IDAT", zlib.compress(rows)) + after + chunk(b"IEND", b"")


def exif(orientation: int) -> bytes:
    return b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0" + bytes([orientation]) + b"\0\0\0\0\0\0\0"


@pytest.fixture
def values(tmp_path: Path) -> Callable[..., Any]:
    """values(content): of a set of this PNG alone, in its own units: [H, W, C]."""

    def values(content: bytes, preparation: Preparation | None = None) -> np.ndarray:
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / "set/a.png").write_bytes(content)
        found = load_dataset(str(tmp_path / "set"), preparation or Preparation())
        if found.levels is None:
            return found.images[0].transpose(1, 2, 0)
        low, high = found.window
        return (found.levels[0].astype(np.float64) * ((high - low) / 65535) + low).transpose(1, 2, 0)

    return values


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("array", [GRAY, COLOR], ids=["gray", "colour"])
def test_16_bits_are_turned_as_exif_asks(values: Callable[..., Any], array: np.ndarray, orientation: int) -> None:
    found = values(png(array, before=chunk(b"eXIf", exif(orientation))))
    np.testing.assert_allclose(found, TURNS[orientation](array), atol=0.51)


DAMAGED = {
    "exif": chunk(b"eXIf", b"no tags at all"),
    "exif cut off": chunk(b"eXIf", b"II"),
    "checksum of a text": chunk(b"tEXt", b"Title\0scan", checksum=1),
    "checksum of a resolution": chunk(b"pHYs", b"\0\0\1\0\0\0\1\0\1", checksum=1),
    "colour profile": chunk(b"iCCP", b"p\0\0no profile"),
    "text": chunk(b"zTXt", b"Title\0\0no text"),
    "large text": chunk(b"zTXt", b"Title\0\0" + zlib.compress(bytes(9_000_000))),
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("array", [GRAY >> 8, GRAY, COLOR >> 8, COLOR], ids=["gray 8", "gray 16", "RGB 8", "RGB 16"])
@pytest.mark.parametrize("damage", DAMAGED)
def test_damage_beside_the_pixels_is_no_damage_to_them(
    values: Callable[..., Any], capfd: pytest.CaptureFixture[str], damage: str, array: np.ndarray, place: str
) -> None:
    array = array.astype(np.uint8) if array.max() < 256 else array
    found = values(png(array, **{place: DAMAGED[damage]}))
    np.testing.assert_allclose(found, array, atol=0.51)
    assert capfd.readouterr() == ("", "")


def test_a_transparent_value_of_16_bit_gray(values: Callable[..., Any]) -> None:
    array = GRAY.copy()
    array[:5] = 1234
    expected = np.where(array == 1234, 65535.0, array)
    content = png(array, before=chunk(b"tRNS", struct.pack(">H", 1234)))
    np.testing.assert_allclose(values(content), expected, atol=0.51)
    assert np.array_equal(values(content, Preparation(beyond_8_bits=False)), np.rint(expected / 257))


@pytest.mark.parametrize("suffix", ["webp", "jpg"])
def test_damaged_exif_of_other_formats(tmp_path: Path, suffix: str) -> None:
    pixels = np.add.outer(np.arange(20) * 5, np.arange(24) * 4).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", exif=b"Exif\0\0no tags at all", quality=100)
    (found,) = load_dataset(str(tmp_path)).images
    assert np.abs(found[0] - pixels.astype(float)).max() <= 4


@pytest.mark.parametrize("array", [COLOR, COLOR >> 8], ids=["16", "8"])
def test_a_picture_that_is_cut_off_says_so_in_its_line_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], array: np.ndarray
) -> None:
    array = array.astype(np.uint8) if array.max() < 256 else array
    (tmp_path / "a.png").write_bytes(png(array)[:700])
    (tmp_path / "b.png").write_bytes(png(array))
    found = load_dataset(str(tmp_path))
    assert [name for name, _ in found.skipped] == ["a.png"]
    assert capfd.readouterr() == ("", "")
