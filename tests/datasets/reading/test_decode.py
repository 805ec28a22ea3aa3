import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.datasets.reading.decode import open_image, read_header, to_array
from stylegan_ada.datasets.reading.high_bit_depth import open_values
from stylegan_ada.datasets.reading.resizing import crop_box
from stylegan_ada.datasets.reading.unreadable import Unreadable

RANDOM = np.random.default_rng(0)
RGB = RANDOM.integers(0, 256, (6, 10, 3), dtype=np.uint8)


def _stream(image: Image.Image, kind: str = "PNG", **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    stream.seek(0)
    return stream


def _pixels(image: Image.Image, kind: str = "PNG", **options: object) -> np.ndarray:
    return np.asarray(open_image(_stream(image, kind, **options)))


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("BMP", {}), ("WEBP", {"lossless": True})])
@pytest.mark.parametrize("gray", [False, True])
def test_lossless_formats_keep_their_pixels(kind: str, options: dict[str, object], gray: bool) -> None:
    pixels = RGB[..., 0] if gray and kind != "WEBP" else RGB
    np.testing.assert_array_equal(_pixels(Image.fromarray(pixels), kind, **options), pixels)


def test_jpeg_is_close() -> None:
    ramp = np.broadcast_to(np.arange(0, 256, 4, dtype=np.uint8), (64, 64))
    assert np.abs(_pixels(Image.fromarray(ramp), "JPEG", quality=95).astype(int) - ramp).max() <= 3


# EXIF 2.32, tag 274: where row 0 and column 0 of the stored pixels are, as shown
SHOWN: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("orientation", SHOWN)
@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_exif_orientation(kind: str, options: dict[str, object], orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    stream = _stream(Image.fromarray(RGB), kind, exif=exif, **options)
    expected = SHOWN[orientation](RGB)
    header = read_header(stream)
    assert (header.height, header.width) == expected.shape[:2]
    stream.seek(0)
    np.testing.assert_array_equal(np.asarray(open_image(stream)), expected)


def test_sixteen_bits_are_scaled_exactly() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.rint(values.astype(np.float64) * 255 / 65535)
    for kind in ("PNG", "TIFF"):
        stream = _stream(Image.fromarray(values), kind)
        assert read_header(stream).gray
        stream.seek(0)
        np.testing.assert_array_equal(np.asarray(open_image(stream)), expected)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_deeper_pixels_are_refused(mode: str) -> None:
    stream = _stream(Image.new(mode, (4, 4)), "TIFF")
    assert read_header(stream).beyond_8_bits
    stream.seek(0)
    with pytest.raises(Unreadable, match="convert to 8 or 16 bits"):
        open_image(stream)


def test_one_bit_is_black_and_white() -> None:
    bits = RANDOM.random((5, 7)) < 0.5
    np.testing.assert_array_equal(_pixels(Image.fromarray(bits)), np.where(bits, 255, 0))


def test_palette_takes_its_colors() -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 1, 2, 3])
    expected = [[[255, 0, 0], [0, 255, 0]], [[1, 2, 3], [0, 255, 0]]]
    np.testing.assert_array_equal(_pixels(image), expected)
    expected[0][0] = [255, 255, 255]  # colour 0 transparent, on white
    np.testing.assert_array_equal(_pixels(image, transparency=0), expected)


def test_cmyk_is_the_complement() -> None:
    cmyk = Image.fromarray(np.array([[[255, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 0]]], np.uint8), mode="CMYK")
    np.testing.assert_array_equal(_pixels(cmyk, "TIFF"), [[[0, 255, 255], [0, 0, 0], [255, 255, 255]]])


def test_transparency_is_laid_on_white() -> None:
    rgba = RANDOM.integers(0, 256, (9, 9, 4), dtype=np.uint8)
    alpha = rgba[..., 3:] / 255
    assert np.abs(_pixels(Image.fromarray(rgba)) - (rgba[..., :3] * alpha + 255 * (1 - alpha))).max() <= 1
    la = Image.fromarray(rgba[..., 2:])
    stream = _stream(la)
    assert read_header(stream).gray
    expected = rgba[..., 2] * alpha[..., 0] + 255 * (1 - alpha[..., 0])
    pixels = np.asarray(open_image(stream))
    assert pixels.shape == (9, 9)
    assert np.abs(pixels - expected).max() <= 1


def _lanczos(signal: np.ndarray, to: int) -> np.ndarray:
    """Lanczos of three lobes along axis 0, stretched by the reduction; in float64, from its definition."""
    scale = len(signal) / to
    centres = (np.arange(to) + 0.5) * scale
    x = (np.arange(len(signal)) + 0.5 - centres[:, None]) / max(scale, 1)
    weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    return np.tensordot(weights / weights.sum(1, keepdims=True), signal, 1)


def _resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    rows = np.clip(_lanczos(pixels.astype(np.float64).swapaxes(0, 1), width), 0, 255).swapaxes(0, 1)
    return np.clip(_lanczos(rows, height), 0, 255)


@pytest.mark.parametrize("channels", [1, 3])
def test_crop_and_stretch_against_lanczos(channels: int) -> None:
    pixels = RANDOM.integers(0, 256, (24, 41, 3), dtype=np.uint8)
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    gray = pixels[..., :channels]
    for fit, part in {"crop": gray[:, 8:32], "stretch": gray}.items():
        found = to_array(image, height=8, width=8, channels=channels, fit=fit)
        assert found.shape == (channels, 8, 8)
        assert found.dtype == np.uint8
        assert found.flags.c_contiguous
        assert np.abs(found - _resized(part, 8, 8).transpose(2, 0, 1)).max() <= 1.5


def test_fine_stripes_do_not_alias() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    small = to_array(Image.fromarray(stripes), height=9, width=9, channels=1, fit="stretch")
    assert np.abs(small[0, :, 1:-1].astype(int) - 127).max() <= 6


def test_same_size_keeps_pixels_and_gray_is_luma() -> None:
    image = Image.fromarray(RGB)
    np.testing.assert_array_equal(to_array(image, height=6, width=10, channels=3, fit="crop"), RGB.transpose(2, 0, 1))
    luma = RGB @ [0.299, 0.587, 0.114]
    assert np.abs(to_array(image, height=6, width=10, channels=1, fit="crop")[0] - luma).max() <= 0.51


def test_crop_box_is_central_and_largest() -> None:
    assert crop_box(24, 41, 8, 8) == (8, 0, 32, 24)
    assert crop_box(40, 20, 10, 20) == (0, 15, 20, 25)
    assert crop_box(1, 1000, 1000, 1) == (499, 0, 500, 1)
    for _ in range(200):
        h, w, to_h, to_w = RANDOM.integers(1, 60, 4).tolist()
        left, top, right, bottom = crop_box(h, w, to_h, to_w)
        assert 0 <= left < right <= w
        assert 0 <= top < bottom <= h
        assert right - left == w or bottom - top == h
        assert abs(left - (w - right)) <= 1
        assert abs(top - (h - bottom)) <= 1


def test_unreadable_files() -> None:
    whole = _stream(Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8))).getvalue()
    for data, word in {
        b"": "not a PNG",
        b"GIF": "not a PNG",
        whole[: len(whole) // 2]: "truncated|Truncated",
        _stream(Image.fromarray(RGB), "PCX").getvalue(): "not a PNG",
    }.items():
        with pytest.raises(Unreadable, match=word) as raised:
            open_image(io.BytesIO(data))
        assert "\n" not in str(raised.value)


def test_a_large_file_is_probed_by_its_header() -> None:
    whole = _stream(Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3), dtype=np.uint8))).getvalue()
    assert read_header(io.BytesIO(whole[:200])).height == 64


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "tEXt", "iCCP"])
@pytest.mark.parametrize("late", [False, True])
def test_a_png_with_a_large_text_or_profile_keeps_its_picture(kind: str, late: bool) -> None:
    """Pillow refuses what unpacks to more than a megabyte; it says nothing of the pixels."""
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    whole = _stream(Image.fromarray(pixels), "PNG").getvalue()
    large = bytes(range(32, 127)) * 40_000
    data = {
        "zTXt": b"key\0\0" + zlib.compress(large),
        "iTXt": b"key\0\1\0\0\0" + zlib.compress(large),
        "tEXt": b"key\0" + large,
        "iCCP": b"key\0\0" + zlib.compress(large),
    }[kind]
    chunk = struct.pack(">I", len(data)) + kind.encode() + data
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    at = whole.index(b"IEND" if late else b"IDAT") - 4
    stream = io.BytesIO(whole[:at] + chunk + whole[at:])
    assert read_header(stream).width == 8
    assert np.array_equal(np.asarray(open_image(stream)), pixels)


def test_a_16_bit_png_with_a_large_profile() -> None:
    values = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    whole = _stream(Image.fromarray(values), "PNG").getvalue()
    data = b"key\0\0" + zlib.compress(bytes(4_000_000))
    chunk = struct.pack(">I", len(data)) + b"iCCP" + data
    at = whole.index(b"IDAT") - 4
    stream = io.BytesIO(whole[:at] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + whole[at:])
    assert np.array_equal(open_values(stream)[:, :, 0], values)
