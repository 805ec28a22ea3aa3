from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from stylegan_ada import UserError
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.inspect.inspection import inspect_source
from stylegan_ada.datasets.prepare.clean_copy import prepare
from stylegan_ada.datasets.prepare.presets import preset_pipeline
from stylegan_ada.datasets.reading.decode import Header
from stylegan_ada.datasets.reading.opening import open_image, open_values, read_header
from stylegan_ada.datasets.reading.unreadable import Unreadable

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
RANDOM = np.random.default_rng(0)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Any]:
    """write(name, array, **tags): gray of 16 bits, [H, W] or [frames, H, W], below tmp_path/set."""

    def write(
        name: str, array: np.ndarray, syntax: Any = ExplicitVRLittleEndian, **tags: int | list[Any] | str
    ) -> Path:
        file = Dataset()
        file.file_meta = FileMetaDataset()
        file.file_meta.TransferSyntaxUID = syntax
        file.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        file.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
        file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
        file.Rows, file.Columns = array.shape[-2:]
        file.BitsAllocated = array.itemsize * 8
        file.BitsStored, file.HighBit = file.BitsAllocated, file.BitsAllocated - 1
        file.PixelRepresentation = int(array.dtype.kind == "i")
        if array.ndim == 3:
            file.NumberOfFrames = len(array)
        for tag, value in tags.items():
            setattr(file, tag, value)
        file.PixelData = array.tobytes()
        file["PixelData"].VR = "OW"
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        file.save_as(path, enforce_file_format=True)
        return path

    return write


def values(path: Path, picture: int = 0) -> np.ndarray:
    with open(path, "rb") as stream:
        return open_values(stream, picture)


def picture(path: Path, index: int = 0) -> np.ndarray:
    with open(path, "rb") as stream:
        return np.asarray(open_image(stream, index))


def header(path: Path) -> Header:
    with open(path, "rb") as stream:
        return read_header(stream)


def scans(shape: tuple[Any, ...] = (8, 8)) -> np.ndarray:
    return RANDOM.integers(0, 4096, shape).astype(np.uint16)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("dtype", "padding", "limit"), [("i2", -2000, None), ("u2", 65535, None), ("i2", -2000, -1500)]
)
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_pixel_padding_is_nothing_measured(
    write: Callable[..., Any],
    tmp_path: Path,
    syntax: Any,
    dtype: str,
    padding: int,
    limit: int | None,
    photometric: str,
) -> None:
    """It takes no part in the range, and is black, whichever way gray goes."""
    stored = np.random.default_rng(1).integers(0, 3000, (8, 8)).astype(dtype)
    filled = np.zeros((8, 8), bool)
    filled[:2], filled[5, 3] = True, limit is not None
    stored[filled] = padding
    stored[5, 3] = stored[5, 3] if limit is None else -1700
    tags = {"PixelPaddingValue": padding, "RescaleSlope": "1", "RescaleIntercept": "-1024"}
    tags |= {} if limit is None else {"PixelPaddingRangeLimit": limit}
    path = write("a.dcm", stored, syntax, PhotometricInterpretation=photometric, **tags)
    measured = values(path)[:, :, 0]
    assert np.array_equal(np.isnan(measured), filled)
    found = load_dataset(str(tmp_path / "set"))
    assert found.window == (np.nanmin(measured), np.nanmax(measured))
    assert (found.levels[0, 0][filled] == 0).all()
    assert any("1 images have pixels where nothing was measured" in line for line in found.notes)
    assert (picture(path)[filled] == 0).all()


def test_ct_is_in_hounsfield_units() -> None:
    """CT_small.dcm: explicit little endian, signed, 128x128 at the end of the file, slope 1, intercept -1024."""
    stored = np.frombuffer(pydicom.dcmread(FILES / "CT_small.dcm").PixelData, "<i2").reshape(128, 128)
    found = values(FILES / "CT_small.dcm")
    assert np.array_equal(found[:, :, 0], stored - 1024)
    assert (found.min(), found.max()) == (-896, 1167)
    assert (header(FILES / "CT_small.dcm").beyond_8_bits, header(FILES / "CT_small.dcm").gray) == (True, True)


@pytest.mark.parametrize("kind", ["RLE", "bigendian", "implicit", "jp2klossless", "padded"])
def test_ways_of_storing_one_mr_give_the_same_values(kind: str) -> None:
    stored = np.frombuffer(pydicom.dcmread(FILES / "MR_small.dcm").PixelData, "<i2").reshape(64, 64)
    assert np.array_equal(values(FILES / f"MR_small_{kind}.dcm")[:, :, 0], stored)
    assert header(FILES / f"MR_small_{kind}.dcm").voi == (-200, 1400)  # centre 600, width 1600


def test_color_is_as_in_the_files() -> None:
    rgb = pydicom.dcmread(FILES / "examples_rgb_color.dcm")
    stored = np.frombuffer(rgb.PixelData, np.uint8)[: 240 * 320 * 3].reshape(240, 320, 3)
    assert np.array_equal(picture(FILES / "examples_rgb_color.dcm"), stored)
    raw = np.frombuffer(pydicom.dcmread(FILES / "SC_ybr_full_422_uncompressed.dcm").PixelData, np.uint8)
    raw = raw.reshape(100, 50, 4).astype(float)  # two Y, then Cb and Cr of both
    y, cb, cr = raw[:, :, :2].reshape(100, 100), *(raw[:, :, place].repeat(2, axis=1) - 128 for place in (2, 3))
    expected = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=2).clip(0, 255)
    assert np.abs(picture(FILES / "SC_ybr_full_422_uncompressed.dcm") - expected).max() <= 1
    wide = values(FILES / "SC_rgb_rle_16bit.dcm")
    assert np.array_equal(wide, picture(FILES / "SC_rgb_rle.dcm") * 257.0)
    assert header(FILES / "SC_rgb_rle_16bit.dcm").beyond_8_bits


def test_a_palette_gives_colors() -> None:
    file = pydicom.dcmread(FILES / "examples_palette.dcm")
    red = np.frombuffer(file.RedPaletteColorLookupTableData, "<u2") >> 8
    assert np.array_equal(picture(FILES / "examples_palette.dcm")[:, :, 0], red[file.pixel_array])


def test_monochrome1_is_turned_in_units(write: Callable[..., Any]) -> None:
    array = scans()
    tags = {"RescaleSlope": "2", "RescaleIntercept": "-100", "BitsStored": 12, "HighBit": 11}
    path = write("a.dcm", array, PhotometricInterpretation="MONOCHROME1", WindowCenter=0, WindowWidth=200, **tags)
    assert np.array_equal(values(path)[:, :, 0], 2.0 * (4095 - array) - 100)
    # black is where values were highest: at 100 before, 2 * 4095 - 200 - 100 now
    assert header(path).voi == (7890, 8090)
    signed = write("b.dcm", array.astype(np.int16), PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(values(signed)[:, :, 0], -1.0 - array)


def test_8_bits_without_a_unit_are_as_a_png(write: Callable[..., Any]) -> None:
    array = RANDOM.integers(0, 256, (8, 8)).astype(np.uint8)
    path = write("a.dcm", array)
    assert not header(path).beyond_8_bits
    assert np.array_equal(picture(path), array)
    assert np.array_equal(picture(write("b.dcm", array, PhotometricInterpretation="MONOCHROME1")), 255 - array)
    assert header(write("c.dcm", array, RescaleSlope="0.5", RescaleIntercept="0")).beyond_8_bits
    mask = picture(FILES / "liver_1frame.dcm")
    assert sorted(np.unique(mask)) == [0, 255]
    assert (mask > 0).sum() == pydicom.dcmread(FILES / "liver_1frame.dcm").pixel_array.sum()


def test_a_set_whose_files_carry_one_voi_window_is_cut_to_it(write: Callable[..., Any], tmp_path: Path) -> None:
    arrays = [scans() for _ in range(3)]
    for index, array in enumerate(arrays):
        write(f"{index}.dcm", array, WindowCenter=[2000, 40], WindowWidth=[1000, 400], RescaleIntercept="-24")
    found = load_dataset(str(tmp_path / "set"))
    assert found.window == (1500, 2500)
    assert "VOI" in found.window_from
    expected = (np.clip(np.stack(arrays)[:, None] - 24.0, 1500, 2500) - 1500) * 65.535
    assert np.abs(found.levels - expected).max() <= 0.51
    assert load_dataset(str(tmp_path / "set"), Preparation(window=(0.0, 9.0))).window == (0, 9)
    write("3.dcm", arrays[0], WindowCenter=2000, WindowWidth=999)
    found = load_dataset(str(tmp_path / "set"))
    assert found.window == (min(a.min() for a in arrays) - 24, max(max(a.max() for a in arrays) - 24, arrays[0].max()))
    assert "lowest" in found.window_from


def test_each_frame_is_an_image(write: Callable[..., Any], tmp_path: Path) -> None:
    frames = scans((3, 8, 8))
    write("cat/a.dcm", frames)
    write("cat/b.dcm", frames[0])
    write("dog/c.dcm", frames[:2])
    found = load_dataset(str(tmp_path / "set"))
    names = ["cat/a.dcm#0001", "cat/a.dcm#0002", "cat/a.dcm#0003", "cat/b.dcm", "dog/c.dcm#0001", "dog/c.dcm#0002"]
    assert list(found.names) == names
    assert found.labels.tolist() == [0, 0, 0, 0, 1, 1]
    low, high = found.window
    back = low + np.round(found.levels[:, 0] * ((high - low) / 65535))
    assert np.array_equal(back, frames[[0, 1, 2, 0, 0, 1]])
    # frames of one file are never on both sides of a split
    assert found.groups == tuple(name.partition("#")[0] for name in names)
    seen = inspect_source(str(tmp_path / "set"))
    assert (seen.images, seen.classes, seen.modes) == (6, {"cat": 4, "dog": 2}, {"DICOM": 6})
    assert ["cat/a.dcm#0002", "dog/c.dcm#0002"] in seen.duplicates


def test_label_files_name_files_not_frames(write: Callable[..., Any], tmp_path: Path) -> None:
    for name in "ab":
        write(f"{name}.dcm", scans((2, 8, 8)))
    (tmp_path / "set" / "labels.csv").write_text("file,label,group\na.dcm,good,p1\nb.dcm,bad,p2\n")
    found = load_dataset(str(tmp_path / "set"))
    assert [found.classes[label] for label in found.labels] == ["good", "good", "bad", "bad"]
    assert found.groups == ("p1", "p1", "p2", "p2")


def test_enhanced_files_have_values_of_each_frame(write: Callable[..., Any]) -> None:
    frames = scans((2, 8, 8))

    def group(sequence: str, **tags: int | str) -> Any:
        outer, inner = Dataset(), Dataset()
        for tag, value in tags.items():
            setattr(inner, tag, value)
        setattr(outer, sequence, [inner])
        return outer

    rescale = [group("PixelValueTransformationSequence", RescaleSlope=s, RescaleIntercept="-5") for s in ("1", "3")]
    voi = group("FrameVOILUTSequence", WindowCenter=100, WindowWidth=50)
    path = write("a.dcm", frames, PerFrameFunctionalGroupsSequence=rescale, SharedFunctionalGroupsSequence=[voi])
    assert np.array_equal(values(path, 0)[:, :, 0], frames[0] - 5.0)
    assert np.array_equal(values(path, 1)[:, :, 0], 3.0 * frames[1] - 5)
    assert header(path).voi == (75, 125)


def test_in_8_bits_a_scan_looks_as_in_viewers(
    write: Callable[..., Any], save: Callable[..., Any], tmp_path: Path
) -> None:
    array = scans()
    own = picture(write("a.dcm", array))
    low, high = int(array.min()), int(array.max())
    assert np.abs(own - (array - float(low)) * 255 / (high - low)).max() <= 0.51
    voi = picture(write("b.dcm", array, WindowCenter=2000, WindowWidth=1000))
    assert np.abs(voi - (np.clip(array, 1500, 2500) - 1500) * 0.255).max() <= 0.51
    save("c.png", mode="L")
    mixed = load_dataset(str(tmp_path / "set"))
    assert mixed.window is None
    assert np.array_equal(mixed.images[:2, 0], [own, voi])


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("MR_small_jpeg_ls_lossless.dcm", r"compressed by JPEG-LS .*: pip install python-gdcm"),
        ("SC_rgb_jpeg_gdcm.dcm", r"compressed by JPEG Lossless.*: pip install python-gdcm"),
        ("JPGExtended.dcm", r"JPEG Extended .* needs python-gdcm"),
        ("image_dfl.dcm", "deflate"),
        ("rtplan.dcm", "without a picture"),
        ("MR_truncated.dcm", "pydicom cannot read it"),
        ("badVR.dcm", "pydicom cannot read it"),
        ("no_meta.dcm", "not a PNG, JPEG, TIFF, WebP, BMP, GIF, JPEG 2000, PPM, AVIF, .npy or DICOM image"),
    ],
)
def test_what_cannot_be_read_is_named(file: str, reason: str) -> None:
    def read() -> None:
        header(FILES / file)
        values(FILES / file)

    with pytest.raises(Unreadable, match=reason):
        read()


def test_hostile_counts_are_refused_before_pixels_are_read(write: Callable[..., Any]) -> None:
    with pytest.raises(Unreadable, match="too many"):
        header(write("a.dcm", scans(), NumberOfFrames=2_000_000_000))
    with pytest.raises(Unreadable, match="too many"):
        header(write("b.dcm", scans(), Rows=65535, Columns=65535))


def test_an_error_quotes_nothing_of_the_file(write: Callable[..., Any], tmp_path: Path) -> None:
    path = write("a.dcm", scans(), RescaleSlope="7777777777")
    path.write_bytes(path.read_bytes().replace(b"7777777777", b"SURNAME^J "))
    with pytest.raises(Unreadable) as caught:
        values(path)
    assert "SURNAME" not in str(caught.value)
    assert "SURNAME" not in str(inspect_source(str(tmp_path / "set")))


def test_without_pydicom_nothing_is_skipped_in_silence(
    write: Callable[..., Any], save: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.dcm", scans())
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(UserError, match=r"^cannot read 'a.dcm' \(DICOM needs pydicom: pip install"):
        load_dataset(str(tmp_path / "set"))
    save("b.png")
    with pytest.raises(UserError, match=r"^cannot read 'a.dcm' "):
        load_dataset(str(tmp_path / "set"))
    monkeypatch.undo()
    assert load_dataset(str(tmp_path / "set")).names == ("a.dcm", "b.png")


def test_a_prepared_set_has_each_frame_and_its_label(write: Callable[..., Any], tmp_path: Path) -> None:
    for name in "ab":
        write(f"{name}.dcm", scans((2, 8, 8)))
    (tmp_path / "set" / "labels.csv").write_text("file,label,group\na.dcm,good,p1\nb.dcm,bad,p2\n")
    assert (
        prepare(
            str(tmp_path / "set"),
            tmp_path,
            size=(8, 8),
            pipeline=preset_pipeline("photo", (8, 8), None, None),
            name="photo",
        ).written
        == 4
    )
    images = tmp_path / "images"
    assert (images / "labels.csv").read_text().splitlines()[2] == "a.dcm-0002.png,good,p1"
    assert np.array_equal(Image.open(images / "b.dcm-0002.png"), picture(tmp_path / "set" / "b.dcm", 1))


def test_what_was_skipped_for_want_of_a_decoder_is_tried_again(
    write: Callable[..., Any], save: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    from stylegan_ada.datasets.packing.cache import cache_key
    from stylegan_ada.datasets.reading.sources import open_source

    write("a.dcm", scans())
    with open_source(str(tmp_path / "set")) as source:
        before = cache_key(source, Preparation())
        assert cache_key(source, Preparation()) == before
        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name == "gdcm" else found(name))
        assert cache_key(source, Preparation()) != before
