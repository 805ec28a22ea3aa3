"""What `data inspect` tells of masks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets.inspect.example_sheet import example_sheet
from stylegan_ada.datasets.inspect.inspection import inspect_source
from stylegan_ada.pictures.masks import COLORS


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Four images: a crack on half, a dent on a quarter of one; nothing on another; all of the last is a crack."""
    rng = np.random.default_rng(0)
    masks = np.zeros((4, 16, 16), np.uint8)
    masks[0, :8], masks[1, :8, :8], masks[3] = 1, 2, 1
    for index, mask in enumerate(masks):
        for folder, pixels in (("images", rng.integers(0, 256, (16, 16)).astype(np.uint8)), ("masks", mask)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{index}.png")
    return tmp_path


def test_kinds_and_their_areas_are_told(pairs: Path) -> None:
    found = inspect_source(str(pairs), Preparation(masks="auto")).masks
    crack, dent = found.kinds
    assert (crack.name, crack.images, crack.area, crack.of_marked) == ("1", 2, pytest.approx(1.5 / 4), 0.75)
    assert (dent.name, dent.images, dent.area, dent.of_marked) == ("2", 1, pytest.approx(0.25 / 4), 0.25)
    assert found.empty == 1
    assert any("1 masks cover their whole image (first: 'images/3.png')" in line for line in found.warnings)
    assert inspect_source(str(pairs)).masks is None


def test_the_sheet_shows_edges_of_each_kind(pairs: Path) -> None:
    colors = set(map(tuple, np.asarray(example_sheet(str(pairs), Preparation(masks="auto"))).reshape(-1, 3).tolist()))
    assert {COLORS[0], COLORS[1]} <= colors
    plain = set(map(tuple, np.asarray(example_sheet(str(pairs))).reshape(-1, 3).tolist()))
    assert not {COLORS[0], COLORS[1]} & plain


def test_a_damaged_mask_is_told_as_its_image_that_training_leaves_out(pairs: Path) -> None:
    path = pairs / "masks" / "1.png"
    path.write_bytes(path.read_bytes()[:45])
    found = inspect_source(str(pairs), Preparation(masks="auto"))
    assert found.images == 3
    assert [one.file for one in found.unreadable] == ["images/1.png"]
    assert "its mask 'masks/1.png'" in found.unreadable[0].reason
    example_sheet(str(pairs), Preparation(masks="auto"))
