"""TIFF files as scientific programs write them, against the pixels that they were written from."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.reading.opening import open_image, open_values, read_header
from stylegan_ada.datasets.reading.unreadable import Unreadable
from stylegan_ada.errors import UserError
from stylegan_ada.pixels import oriented

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 256, (20, 24)).astype(np.uint8)
COLOR = RANDOM.integers(0, 256, (20, 24, 3)).astype(np.uint8)
PLANES = COLOR.transpose(2, 0, 1)
WITH_NEAR_INFRARED = np.dstack([COLOR, GRAY])


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Any]:
    """write(array, ...): a folder of one TIFF, by tifffile."""

    def write(array: np.ndarray, name: str = "a.tif", **options: Any) -> Path:
        (tmp_path / "set").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / "set" / name, array, **options)
        return tmp_path / "set"

    return write


def values_of(folder: Path, preparation: Preparation | None = None) -> np.ndarray:
    """The values of the only image, by the window that it was packed with, or its gray levels: [H, W, C]."""
    found = load_dataset(str(folder), preparation or Preparation())
    assert len(found) == 1, found.skipped
    if found.levels is None:
        return found.images[0].transpose(1, 2, 0)
    low, high = found.window
    return (found.levels[0].astype(np.float64) * ((high - low) / 65535) + low).transpose(1, 2, 0)


@pytest.mark.parametrize(
    "array",
    [
        GRAY / 255.0,
        (GRAY / 255).astype(np.float16),
        GRAY.astype(np.float32) / 1000,
        GRAY.astype(np.int16) * 8 - 1000,
        GRAY.astype(np.int32) * 8 - 1000,
        GRAY.astype(np.uint32) * 8,
        (GRAY.astype(np.int16) - 128).astype(np.int8),
        GRAY.astype(np.uint16) * 257,
    ],
    ids=lambda array: str(array.dtype),
)
@pytest.mark.parametrize("how", [{}, {"byteorder": ">"}, {"compression": "zlib", "tile": (16, 16)}, {"bigtiff": True}])
def test_gray_of_any_type_keeps_its_values(write: Callable[..., Any], array: np.ndarray, how: dict[str, Any]) -> None:
    found = values_of(write(array, photometric="minisblack", **how))[:, :, 0]
    step = (float(array.max()) - float(array.min())) / 65535
    np.testing.assert_allclose(found, array.astype(np.float64), atol=0.51 * step + 1e-6)


@pytest.mark.parametrize("compression", ["lzw", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize("predictor", [False, True])
def test_compressions(write: Callable[..., Any], compression: str, predictor: bool) -> None:
    predictor = predictor and compression != "packbits"  # for which TIFF has none
    folder = write(GRAY.astype(np.uint16) * 100 + 7, compression=compression, predictor=predictor)
    np.testing.assert_allclose(values_of(folder)[:, :, 0], GRAY * 100.0 + 7, atol=0.5)


def test_jpeg_in_tiff(write: Callable[..., Any]) -> None:
    smooth = np.add.outer(np.arange(20) * 5, np.arange(24) * 4).astype(np.uint8)
    found = values_of(write(smooth, compression="jpeg", compressionargs={"level": 95}))[:, :, 0]
    assert np.corrcoef(found.ravel(), smooth.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("planar", [False, True])
def test_color_in_planes_or_pixels(write: Callable[..., Any], dtype: Any, planar: Any) -> None:
    scale = {np.uint8: 1.0, np.uint16: 257.0, np.float32: 1 / 255}[dtype]
    how = {"planarconfig": "separate"} if planar else {}
    array = ((PLANES if planar else COLOR) * scale).astype(dtype)
    found = values_of(write(array, photometric="rgb", **how))
    np.testing.assert_allclose(found, COLOR * scale, atol=scale)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_min_is_white(write: Callable[..., Any], dtype: type) -> None:
    ends = np.iinfo(dtype)
    array = (GRAY.astype(np.int64) * (ends.max - ends.min) // 255 + ends.min).astype(dtype)
    turned = (int(ends.max) + int(ends.min) - array.astype(np.int64)).astype(dtype)
    found = values_of(write(turned, photometric="miniswhite"))[:, :, 0]
    np.testing.assert_allclose(found, array.astype(np.float64), atol=1)


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_min_is_white_of_floating_point(write: Callable[..., Any], white: float) -> None:
    array = (GRAY / 255 * white).astype(np.float32)
    found = values_of(write(np.float32(white) - array, photometric="miniswhite"))[:, :, 0]
    np.testing.assert_allclose(found, array, atol=white / 30000)


def test_black_and_white_scans_in_one_set_are_alike(write: Callable[..., Any], tmp_path: Path) -> None:
    write(GRAY.astype(np.uint16) * 257, "a.tif", photometric="minisblack")
    write(65535 - GRAY.astype(np.uint16) * 257, "b.tif", photometric="miniswhite")
    found = load_dataset(str(tmp_path / "set"))
    assert np.array_equal(found.levels[0], found.levels[1])
    assert np.array_equal(found.images[0, 0], GRAY)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_near_infrared_is_no_alpha(write: Callable[..., Any], dtype: type) -> None:
    array = WITH_NEAR_INFRARED.astype(dtype) * (257 if dtype == np.uint16 else 1)
    folder = write(array, photometric="rgb", extrasamples=["unspecified"])
    np.testing.assert_allclose(values_of(folder), array[:, :, :3], atol=1)
    (note,) = load_dataset(str(folder)).notes
    assert "1 of 4 bands (red, green, blue, of no stated meaning), of which the first 3 are taken (`bands`" in note
    np.testing.assert_allclose(values_of(folder, Preparation(bands=(4,))), array[:, :, 3:], atol=1)
    np.testing.assert_allclose(values_of(folder, Preparation(bands=(4, 1, 2))), array[:, :, [3, 0, 1]], atol=1)
    with pytest.raises(UserError, match=r"it has 4 bands, `bands` asks for number 5"):
        load_dataset(str(folder), Preparation(bands=(5,)))


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_is_alpha(write: Callable[..., Any], kind: str, dtype: type) -> None:
    white = np.iinfo(dtype).max
    alpha = np.linspace(0, 1, 24)[None, :, None].repeat(20, 0)
    colors = COLOR / 255 * (alpha if kind == "assocalpha" else 1)
    array = np.rint(np.dstack([colors, alpha]) * white).astype(dtype)
    folder = write(array, photometric="rgb", extrasamples=[kind])
    expected = COLOR / 255 * alpha + 1 - alpha
    np.testing.assert_allclose(values_of(folder) / white, expected, atol=2 / 255)
    dark = values_of(folder, Preparation(background="black"))
    np.testing.assert_allclose(dark / white, COLOR / 255 * alpha, atol=2 / 255)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bands_that_are_no_colors_are_asked_for(write: Callable[..., Any], count: Any, dtype: Any) -> None:
    array = RANDOM.integers(0, 256, (20, 24, count)).astype(dtype)
    folder = write(array, photometric="minisblack", planarconfig="contig")
    with pytest.raises(UserError, match=rf"1 images have {count} bands .*choose one or three of them with `bands`"):
        load_dataset(str(folder))
    np.testing.assert_allclose(values_of(folder, Preparation(bands=(2,)))[:, :, 0], array[:, :, 1], atol=0.5)


def test_bands_of_other_formats(tmp_path: Path) -> None:
    Image.fromarray(WITH_NEAR_INFRARED).save(tmp_path / "a.png")  # an alpha that is none
    assert np.array_equal(values_of(tmp_path, Preparation(bands=(1, 2, 3))), COLOR)
    assert np.array_equal(values_of(tmp_path, Preparation(bands=(4,)))[:, :, 0], GRAY)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (np.uint8, 200),
        (np.int16, -9999),
        (np.float32, -9999),
        (np.float32, -3.4028234663852886e38),
        (np.float64, -3.4028234663852886e38),
    ],
)
def test_the_value_for_nothing_measured_is_black(write: Callable[..., Any], dtype: type, value: float) -> None:
    array = (GRAY // 2 + 20).astype(dtype)
    array[:6, :9] = value
    found = values_of(write(array, extratags=[(42113, "s", 0, str(value), True)]))[:, :, 0]
    measured = np.ones((20, 24), bool)
    measured[:6, :9] = False
    np.testing.assert_allclose(found[measured], array[measured], atol=0.01)
    assert (found[:6, :9] == (0 if dtype == np.uint8 else array[measured].min())).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_it_is_said_where_nothing_was_measured(write: Callable[..., Any], dtype: type) -> None:
    array = np.where(GRAY == 7, 8, GRAY).astype(dtype)
    array[3, 3] = 7 if dtype == np.uint8 else np.nan
    found = load_dataset(str(write(array, extratags=[(42113, "s", 0, "7", True)])))
    assert any(line.startswith("warning: 1 images have pixels where nothing was measured") for line in found.notes)
    assert found.window == (None if dtype == np.uint8 else (0, 255))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_are_those_of_pillow(write: Callable[..., Any], orientation: int) -> None:
    """For 16 bits, which tifffile reads, as Pillow turns 8 bits."""
    tags = [(274, "H", 1, orientation, True)]
    deep = values_of(write(GRAY.astype(np.uint16) * 257, extratags=tags))
    write(GRAY, extratags=tags)
    assert np.array_equal(values_of(write(GRAY, extratags=tags))[:, :, 0], np.rint(deep[:, :, 0] / 257))
    assert oriented(GRAY, orientation).shape == deep.shape[:2]


def test_smaller_copies_and_masks_are_no_pictures(tmp_path: Path) -> None:
    for name, array in (("shallow.tif", GRAY), ("deep.tif", GRAY.astype(np.uint16))):
        with tifffile.TiffWriter(tmp_path / name) as file:
            file.write(array[::2, ::2], subfiletype=1)
            file.write(array)
            file.write(array[::4, ::4], subfiletype=1)
        with open(tmp_path / name, "rb") as stream:
            header = read_header(stream)
            assert (header.height, header.width, header.frames) == (20, 24, 1)


def test_a_file_in_8_bits_beside_others(write: Callable[..., Any], tmp_path: Path) -> None:
    """16-bit colour in planes, in a set of 8 bits."""
    folder = write(PLANES.astype(np.uint16) * 257, photometric="rgb", planarconfig="separate")
    Image.fromarray(COLOR).save(folder / "b.png")
    found = load_dataset(str(folder))
    assert np.array_equal(found.images[0], PLANES)
    assert np.array_equal(found.images[1], PLANES)
    with open(folder / "a.tif", "rb") as stream:
        assert np.array_equal(np.asarray(open_image(stream)), COLOR)


def test_what_is_no_picture_of_gray_or_colors(write: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="neither whole nor floating-point"):
        load_dataset(str(write(GRAY.astype(np.complex64))))
    with open(write(GRAY.astype(np.uint16), "b.tif") / "b.tif", "rb") as stream:
        assert open_values(stream).shape == (20, 24, 1)


def _cmyk(white: int) -> np.ndarray:
    """COLOR in ink: black takes what is common to the three, by thirds."""
    paper = COLOR / 255
    black = (1 - paper.max(axis=2, keepdims=True)) / 3
    return np.rint(np.dstack([1 - paper / (1 - black), black]) * white)


@pytest.mark.parametrize("how", [{}, {"planarconfig": "separate"}, {"byteorder": ">"}, {"compression": "lzw"}])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_ink_becomes_colors(write: Callable[..., Any], dtype: Any, how: Any) -> None:
    white = np.iinfo(dtype).max
    array = _cmyk(white).astype(dtype)
    array = array.transpose(2, 0, 1) if "planarconfig" in how else array
    found = values_of(write(array, photometric="separated", **how))
    np.testing.assert_allclose(found / white, COLOR / 255, atol=2 / white)


def test_ink_of_other_kinds_is_refused(write: Callable[..., Any]) -> None:
    folder = write(COLOR, photometric="rgb")
    content = bytearray((folder / "a.tif").read_bytes())
    content[content.find(b"\x06\1\3\0") + 8] = 5  # PhotometricInterpretation: separated
    (folder / "a.tif").write_bytes(content)
    with open(folder / "a.tif", "rb") as stream, pytest.raises(Unreadable, match="3 inks: convert it to gray or RGB"):
        read_header(stream)


@pytest.mark.parametrize(
    ("photometric", "kind"),  # what min-is-white multiplied by alpha would be is not laid down
    [("minisblack", "unassalpha"), ("minisblack", "assocalpha"), ("miniswhite", "unassalpha")],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_of_gray(write: Callable[..., Any], photometric: str, kind: str, dtype: type) -> None:
    """Min-is-white turns the gray, not the alpha."""
    white = np.iinfo(dtype).max
    alpha = np.linspace(0, 1, 24)[None].repeat(20, 0)
    gray = GRAY / 255 * (alpha if kind == "assocalpha" else 1)
    gray = 1 - gray if photometric == "miniswhite" else gray
    array = np.rint(np.dstack([gray, alpha]) * white).astype(dtype)
    folder = write(array, photometric=photometric, planarconfig="contig", extrasamples=[kind])
    found = values_of(folder)[:, :, 0] / white
    np.testing.assert_allclose(found, GRAY / 255 * alpha + 1 - alpha, atol=2 / 255)
    if dtype == np.uint8:
        kept = values_of(folder, Preparation(channels=4)) / white
        np.testing.assert_allclose(kept[:, :, 0], GRAY / 255 * alpha, atol=2 / 255)
        np.testing.assert_allclose(kept[:, :, 3], alpha, atol=1 / 255)


@pytest.mark.parametrize(
    ("array", "compression"),
    [(COLOR, "webp")]
    + [(array, name) for array in (GRAY, COLOR) for name in ("zstd", "lzma", "jpeg2000", "png", "jpegxl", "lerc")],
)
def test_compressions_of_8_bits(write: Callable[..., Any], array: np.ndarray, compression: str) -> None:
    photometric = "minisblack" if array is GRAY else "rgb"
    found = values_of(write(array, compression=compression, photometric=photometric))
    assert np.array_equal(np.squeeze(found), array)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 10, 12, 14])
def test_any_number_of_bits(write: Callable[..., Any], bits: int) -> None:
    """Up to 8 as a share of white, beyond as they are."""
    array = (GRAY.astype(np.uint16) << 8) >> (16 - bits)
    folder = write(array.astype(np.uint8 if bits < 8 else np.uint16), bitspersample=bits, photometric="minisblack")
    expected = np.rint(array * (255 / (2**bits - 1))) if bits < 8 else array
    np.testing.assert_allclose(values_of(folder)[:, :, 0], expected, atol=0.5)


def test_alpha_before_another_band_is_kept(write: Callable[..., Any]) -> None:
    alpha = np.linspace(0, 255, 24).astype(np.uint8)[None].repeat(20, 0)
    folder = write(np.dstack([COLOR, alpha, GRAY]), photometric="rgb", extrasamples=["unassalpha", "unspecified"])
    found = values_of(folder, Preparation(channels=4))
    assert np.array_equal(found[:, :, 3], alpha)
    np.testing.assert_allclose(found[:, :, :3], COLOR / 255.0 * alpha[:, :, None], atol=1)


def test_nothing_of_a_library_reaches_the_terminal(
    write: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write(GRAY)
    content = bytearray((folder / "a.tif").read_bytes())
    at = content.find(b"\x15\x01\x03\0")  # SamplesPerPixel
    content[at + 2 : at + 12] = b"\4\0\1\0\0\0\xff\xff\xff\x7f"
    (folder / "a.tif").write_bytes(content)
    with pytest.raises(UserError):
        load_dataset(str(folder))
    assert capfd.readouterr() == ("", "")
    for name in ("PIL", "tifffile"):
        assert len(logging.getLogger(name).handlers) <= 1


@pytest.mark.parametrize("package", ["tifffile", "imagecodecs"])
def test_a_missing_package_loses_no_image(write: Callable[..., Any], package: str) -> None:
    write(GRAY.astype(np.uint16), "a.tif", compression="lzw")
    folder = write(GRAY.astype(np.uint16) // 2, "b.tif", compression="lzw")
    code = f"import sys; sys.modules[{package!r}] = None\n"
    code += "from stylegan_ada.datasets import load_dataset\n"
    code += f"try: load_dataset({str(folder)!r})\nexcept Exception as error: print(type(error).__name__, error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.startswith("UserError cannot read 'a.tif' ("), done
    assert package in done.stdout
    assert len(load_dataset(str(folder))) == 2
