"""Files with several pictures, sizes that are chosen, and what is said of a mixed set."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.reading.picture_names import file_of, page_of, picture_names
from stylegan_ada.errors import UserError

RANDOM = np.random.default_rng(0)


def _tiff(path: Path, pages: list[np.ndarray] | np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = (Image.fromarray(page) for page in pages)
    first.save(path, save_all=True, append_images=others)


@pytest.fixture(params=[np.uint8, np.uint16])
def scans(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, np.ndarray]:
    """Two classes of two files of three pages, 8x12."""
    pages = RANDOM.integers(0, 256, (4, 3, 8, 12)).astype(request.param)
    for index, name in enumerate(("bad/a", "bad/b", "good/a", "good/b")):
        _tiff(tmp_path / "set" / f"{name}.tiff", pages[index])
    return tmp_path / "set", pages


def test_all_pages_are_images_of_their_files_class(scans: tuple[Path, np.ndarray]) -> None:
    folder, pages = scans
    found = load_dataset(str(folder), Preparation(pages="all"))
    assert found.names[:4] == ("bad/a.tiff#0001", "bad/a.tiff#0002", "bad/a.tiff#0003", "bad/b.tiff#0001")
    assert found.labels.tolist() == [0] * 6 + [1] * 6
    assert found.groups[:4] == ("bad/a.tiff",) * 3 + ("bad/b.tiff",)
    if pages.dtype == np.uint8:
        np.testing.assert_array_equal(found.images[:, 0], pages.reshape(12, 8, 12))
    else:
        low, high = found.window
        values = found.levels[:, 0] / 65535 * (high - low) + low
        np.testing.assert_allclose(values, pages.reshape(12, 8, 12), atol=0.01)
    assert found.notes == ("12 images: 4 files hold several pictures, of which all are taken",)


def test_the_first_page_is_taken_and_that_is_said(scans: tuple[Path, np.ndarray]) -> None:
    folder, pages = scans
    found = load_dataset(str(folder))
    assert found.names[:2] == ("bad/a.tiff", "bad/b.tiff")
    assert found.groups is None
    if pages.dtype == np.uint8:
        np.testing.assert_array_equal(found.images[:, 0], pages[:, 0])
    assert found.notes == ("4 images: 4 files hold several pictures, of which the first is taken",)


def test_names_of_pictures() -> None:
    assert [(file_of(name), page_of(name)) for name in picture_names("a#b.tif", 2)] == [("a#b.tif", 0), ("a#b.tif", 1)]
    assert (file_of("a#b.tif"), page_of("a#b.tif")) == ("a#b.tif", 0)


def test_a_mixed_set_says_what_was_done(tmp_path: Path) -> None:
    rgb = Image.fromarray(RANDOM.integers(0, 256, (8, 12, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    rgb.save(tmp_path / "rgb.png")
    rgb.resize((8, 12)).save(tmp_path / "turned.png", exif=exif)
    rgb.convert("CMYK").save(tmp_path / "cmyk.tif")
    rgb.convert("1").save(tmp_path / "bits.png")
    rgb.convert("L").save(tmp_path / "gray.png")
    rgb.convert("LA").save(tmp_path / "la.png")
    rgb.convert("P").save(tmp_path / "palette.png")
    rgb.convert("P").save(tmp_path / "seen-through.png", transparency=0)
    Image.fromarray(np.zeros((8, 12), np.uint16)).save(tmp_path / "deep.png")
    _tiff(tmp_path / "pages.tif", [np.asarray(rgb)] * 2)
    assert load_dataset(str(tmp_path), Preparation(background="black")).notes == (
        "10 images: 1 1-bit converted to RGB, 2 palette converted to RGB, 1 CMYK converted to RGB, "
        "3 gray converted to RGB, 2 with transparency laid on black, 1 of more than 8 bits brought to 8, "
        "1 turned or mirrored as EXIF says, 1 file holds several pictures, of which the first is taken",
        "warning: 1 images are blank, of one colour throughout (first: 'deep.png')",
    )
    assert "8 without transparency made opaque" in load_dataset(str(tmp_path), Preparation(channels=4)).notes[0]


def test_a_size_by_the_median_image(save: Callable[..., Any], tmp_path: Path) -> None:
    for index in range(38):
        save(f"{index}.png", 40 + index % 3, 70)
    save("small.png", 10, 70)
    folder = str(tmp_path / "set")
    found = load_dataset(folder, Preparation(size="auto"))
    assert found.image_shape == (3, 40, 64)
    reason = "`size` 40x64: the nearest size with a network within the median image of 41x70, made smaller by 0.98"
    assert found.notes[0].startswith(reason)
    assert found.skipped == (("small.png", "10x70, smaller than 40x64"),)
    padded = load_dataset(folder, Preparation(size="auto", fit="pad"))
    assert padded.image_shape == (3, 40, 64)
    assert len(padded) == 39
    with pytest.raises(UserError, match="or 'auto'"):
        load_dataset(folder, Preparation(size="large"))


def test_no_image_is_left_out_where_many_are_small(save: Callable[..., Any], tmp_path: Path) -> None:
    for index in range(20):
        save(f"{index}.png", *((100, 80) if index < 14 else (50, 60)))
    found = load_dataset(str(tmp_path / "set"), Preparation(size="auto"))
    assert found.image_shape == (3, 48, 40)
    assert not found.skipped
