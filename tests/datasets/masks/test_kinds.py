"""What the values of masks stand for."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada import UserError


def areas(found: Any) -> list[list[int]]:
    """Pixels of each kind that are wholly covered, of each image."""
    return [[int((plane == 255).sum()) for plane in mask] for mask in found.masks]


def test_two_kinds_by_value(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    save("masks/1.png", quarter(1))
    save("masks/2.png", np.maximum(quarter(1), np.rot90(quarter(2))))
    found = load()
    assert found.mask_kinds == ("1", "2")
    assert areas(found) == [[16, 0], [16, 16]]
    named = load(mask_kinds="dent=2,crack=1")
    assert named.mask_kinds == ("dent", "crack")
    assert areas(named) == [[0, 16], [16, 16]]
    merged = load(mask_kinds="defect=1,defect=2")
    assert merged.mask_kinds == ("defect",)
    assert areas(merged) == [[16], [32]]
    one = load(mask_kinds="crack=1")  # what is not asked for is background
    assert areas(one) == [[16], [16]]


def test_kinds_by_colour(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    save("masks/1.png", quarter((255, 0, 0)))
    save("masks/2.png", quarter((0, 255, 0)))
    found = load()
    assert found.mask_kinds == ("#00ff00", "#ff0000")
    assert areas(found) == [[0, 16], [16, 0]]
    assert load(mask_kinds="crack=#ff0000,dent=#00FF00").mask_kinds == ("crack", "dent")


def test_a_palette_counts_by_its_indices(image: Any, tmp_path: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    (tmp_path / "masks").mkdir()
    for name in ("1", "2"):
        mask = Image.fromarray(np.where(quarter() > 0, 2, 0).astype(np.uint8), mode="P")
        mask.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
        mask.save(tmp_path / "masks" / f"{name}.png")
    assert load(mask_kinds="plane=2").mask_kinds == ("plane",)
    assert areas(load()) == [[16], [16]]


@pytest.mark.parametrize("value", [1, 200, 255])
def test_one_value_is_one_kind_whatever_it_is(value: int, image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    save("masks/1.png", quarter(value))
    save("masks/2.png", quarter(0))
    found = load()
    assert found.mask_kinds == ("mask",)
    assert areas(found) == [[16], [0]]


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, bool])
def test_masks_of_other_numbers(dtype: Any, image: Any, save: Any, tmp_path: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    (tmp_path / "gt").mkdir()
    for name in ("1", "2"):
        np.save(tmp_path / "gt" / f"{name}.npy", (quarter() > 0).astype(dtype))
    assert areas(load("images", str(tmp_path / "gt"))) == [[16], [16]]


def test_ignored_values_are_background_and_said(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    for name in ("1", "2"):
        save(f"masks/{name}.png", np.maximum(quarter(1), np.rot90(quarter(255))))
    assert load().mask_kinds == ("1", "255")
    found = load(ignore=255)
    assert found.mask_kinds == ("mask",)
    assert areas(found) == [[16], [16]]
    assert any("2 masks have pixels to be ignored" in note for note in found.notes)


def smoothed(mask: np.ndarray) -> np.ndarray:
    """Edges as programs draw them that smooth by squares of 2x2."""
    return (mask.reshape(mask.shape[0] // 2, 2, mask.shape[1] // 2, 2).mean(axis=(1, 3)) * 255).astype(np.uint8)


def test_smoothed_edges_are_no_kinds(image: Any, save: Any, load: Any) -> None:
    image("images/1.png", "images/2.png")
    y, x = np.mgrid[:16, :16]
    for name, radius in (("1", 5.3), ("2", 4.1)):
        save(f"masks/{name}.png", smoothed(((x - 7.2) ** 2 + (y - 8.1) ** 2 < radius**2).astype(float)))
    found = load()
    assert found.mask_kinds == ("mask",)
    assert any("2 masks have values between" in note for note in found.notes)
    file = smoothed(((x - 7.2) ** 2 + (y - 8.1) ** 2 < 5.3**2).astype(float))
    assert np.array_equal(found.masks[0, 0] == 255, file >= 128)
    assert np.array_equal(load(mask_kinds="hole=255").masks, found.masks)


def test_a_thin_kind_and_a_rare_one_are_kinds(image: Any, save: Any, load: Any, quarter: Any) -> None:
    """A line of one pixel between background and another kind, in numbered masks; and one that few pixels have."""
    image("images/1.png", "images/2.png")
    rings = np.zeros((8, 8), np.uint8)
    rings[1:7, 1:7], rings[2:6, 2:6] = 1, 2
    save("masks/1.png", rings)
    rare = quarter(2)
    rare[7, 7] = 3
    save("masks/2.png", rare)
    assert load().mask_kinds == ("1", "2", "3")
    assert areas(load(mask_kinds="cell=2")) == [[16], [16]]  # 1 and 3 are not rounded to it


def test_five_kinds_are_a_line(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image(*(f"images/{value}.png" for value in range(1, 6)))
    for value in range(1, 6):
        save(f"masks/{value}.png", quarter(value))
    with pytest.raises(UserError, match=r"5 values beside 0 \(1, 2, 3, 4, 5\).*4 kinds.*`mask_kinds`"):
        load()
    assert load(mask_kinds="crack=1,dent=5").mask_kinds == ("crack", "dent")


def test_blurred_masks_are_rounded_and_said(image: Any, save: Any, load: Any, tmp_path: Any) -> None:
    y, x = np.mgrid[:64, :64]
    disc = ((x - 30) ** 2 + (y - 30) ** 2 < 20**2) * 255
    rng = np.random.default_rng(0)
    for name in ("1", "2"):
        save(f"images/{name}.png", rng.integers(0, 256, (64, 64)).astype(np.uint8))
    (tmp_path / "masks").mkdir()
    for name in ("1", "2"):
        Image.fromarray(disc.astype(np.uint8)).save(tmp_path / "masks" / f"{name}.jpg", quality=60)
    found = load()
    assert found.mask_kinds == ("mask",)
    assert ((found.masks[0, 0] == 255) != (disc > 0)).mean() < 0.005
    said = "\n".join(found.notes)
    assert "2 masks are JPEG" in said
    assert "2 masks have values between" in said


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ("crack=7", "no mask has that value, there are 0, 1"),
        ("crack=1,dent=1", "stands there twice"),
        ("a=1,b=2,c=3,d=4,e=5", "5 kinds, give up to 4"),
        ("crack=", "give NAME=VALUE"),
        ("=1", "give NAME=VALUE"),
        ("a/b=1", "give NAME=VALUE"),
    ],
)
def test_wrong_kinds_are_a_line(kinds: str, words: str, image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    for name in ("1", "2"):
        save(f"masks/{name}.png", quarter(1))
    with pytest.raises(UserError, match=words):
        load(mask_kinds=kinds)


def test_empty_masks_and_options_without_masks_are_a_line(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    for name in ("1", "2"):
        save(f"masks/{name}.png", quarter(0))
    with pytest.raises(UserError, match="they are empty, all pixels are 0"):
        load()
    with pytest.raises(UserError, match="say with `masks` where"):
        load(masks=None, ignore=255)
    with pytest.raises(UserError, match="`mask_kinds` names that value, too"):
        load(mask_kinds="a=255", ignore=255)


def test_the_alpha_of_images_is_a_mask(save: Any, load: Any, quarter: Any) -> None:
    rng = np.random.default_rng(0)
    for name in ("1", "2"):
        pixels = np.dstack([rng.integers(0, 256, (8, 8, 3)).astype(np.uint8), quarter()])
        save(f"{name}.png", pixels)
    found = load(masks="alpha")
    assert found.image_shape == (3, 8, 8)
    assert areas(found) == [[16], [16]]


def test_masks_that_show_too_little_or_all_are_said(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png", "images/3.png")
    thin = np.zeros((8, 8), np.uint8)
    thin[:, 3] = 255
    save("masks/1.png", thin)
    save("masks/2.png", np.full((8, 8), 255, np.uint8))
    save("masks/3.png", quarter())
    said = "\n".join(load(size=(2, 2)).notes)
    assert "1 masks fill no pixel by half at this size (first: 'images/1.png')" in said
    assert "1 masks cover their whole image (first: 'images/2.png')" in said


def test_a_mask_of_another_size_or_damaged(image: Any, save: Any, load: Any, tmp_path: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png", "images/3.png")
    for name in ("1", "2"):
        save(f"masks/{name}.png", quarter())
    save("masks/3.png", quarter(255, 6))
    with pytest.raises(UserError, match=r"'images/3.png' is 8x8 .*its mask 'masks/3.png' is 6x6"):
        load()
    (tmp_path / "masks/3.png").write_bytes((tmp_path / "masks/1.png").read_bytes()[:40])
    found = load()
    assert len(found) == 2
    assert found.skipped[0][0] == "images/3.png"
    assert "its mask 'masks/3.png'" in found.skipped[0][1]


def test_masks_go_with_images_of_16_bits(save: Any, load: Any, quarter: Any) -> None:
    for name in ("1", "2"):
        save(f"images/{name}.png", np.random.default_rng(0).integers(0, 65536, (8, 8)).astype(np.uint16))
        save(f"masks/{name}.png", quarter())
    found = load()
    assert found.levels.shape == (2, 1, 8, 8)
    assert areas(found) == [[16], [16]]


def test_every_page_has_its_own_mask(tmp_path: Any, load: Any, quarter: Any) -> None:
    rng = np.random.default_rng(0)
    pages = {
        "images": [Image.fromarray(rng.integers(0, 256, (8, 8)).astype(np.uint8)) for _ in range(2)],
        "masks": [Image.fromarray(quarter()), Image.fromarray(np.rot90(quarter(), 2).copy())],
    }
    for folder, own in pages.items():
        (tmp_path / folder).mkdir()
        own[0].save(tmp_path / folder / "x.tif", save_all=True, append_images=own[1:])
    found = load(pages="all")
    assert found.names == ("images/x.tif#0001", "images/x.tif#0002")
    assert np.array_equal(found.masks[0, 0], quarter())
    assert np.array_equal(found.masks[1, 0], np.rot90(quarter(), 2))


def ids(count: int, side: int = 48) -> np.ndarray:
    """Squares of 6x6 of the values 0 to count - 1, row by row, the rest 0."""
    pixels, per_row = np.zeros((side, side), np.uint8), side // 6
    for value in range(count):
        top, left = divmod(value, per_row)
        pixels[6 * top : 6 * top + 6, 6 * left : 6 * left + 6] = value
    return pixels


@pytest.mark.parametrize(("count", "highest"), [(34, None), (21, 255), (60, 255)])
def test_neighbours_of_an_asked_number_are_background(count: int, highest: int | None, save: Any, load: Any) -> None:
    """As of Cityscapes, and of Pascal VOC with its borders: 26 is a car, 27 a truck."""
    pixels = ids(count)
    if highest is not None:
        pixels[-1] = highest
    for name in ("1", "2"):
        save(f"images/{name}.png", np.random.default_rng(int(name)).integers(0, 256, (48, 48)).astype(np.uint8))
        save(f"masks/{name}.png", pixels)
    for options in ({}, {} if highest is None else {"ignore": highest}):
        found = load(mask_kinds="car=15", **options)
        assert [np.argwhere(mask[0]).min(axis=0).tolist() for mask in found.masks] == [[6, 42], [6, 42]]
        assert areas(found) == [[36], [36]]
        assert not any("values between" in note for note in found.notes)


def test_numbers_beyond_an_index_are_no_mixtures(save: Any, load: Any) -> None:
    """Values spread over all of 8 bits, each in an area of its own: none is taken for its neighbour."""
    pixels = ids(60).astype(int) * 4
    for name in ("1", "2"):
        save(f"images/{name}.png", np.random.default_rng(int(name)).integers(0, 256, (48, 48)).astype(np.uint8))
        save(f"masks/{name}.png", pixels.astype(np.uint8))
    assert areas(load(mask_kinds="car=104")) == [[36], [36]]


def test_smoothed_edges_are_rounded(save: Any, load: Any) -> None:
    """A mask that was enlarged by bicubic interpolation has many values, all but two along edges, with rings."""
    small = np.zeros((16, 16), np.uint8)
    small[2:8, 2:8], small[9:14, 6:15] = 200, 200
    large = np.asarray(Image.fromarray(small).resize((128, 128), Image.Resampling.BICUBIC))
    assert len(np.unique(large)) > 30
    for name in ("1", "2"):
        save(f"images/{name}.png", np.random.default_rng(int(name)).integers(0, 256, (128, 128)).astype(np.uint8))
        save(f"masks/{name}.png", large)
    found = load(mask_kinds="b=200", size=(128, 128))
    assert any("values between" in note for note in found.notes)
    assert areas(found)[0] == [pytest.approx(81 * 64, rel=0.05)]


def test_an_empty_mask_with_opaque_alpha_is_empty(save: Any, load: Any, image: Any, quarter: Any) -> None:
    """Transparency says what is marked only where it differs within a file, or all of it is transparent."""
    image("images/1.png", "images/2.png", "images/3.png")
    colours = np.zeros((8, 8, 4), np.uint8)
    colours[..., 3] = 255
    save("masks/1.png", colours)
    by_colour = colours.copy()
    by_colour[..., :3] = quarter()[..., None]
    save("masks/2.png", by_colour)
    save("masks/3.png", np.where(quarter()[..., None] > 0, colours, 0).astype(np.uint8) + np.uint8([9, 9, 9, 0]))
    assert areas(load()) == [[0], [16], [16]]


def test_colours_count_where_all_is_transparent(save: Any, load: Any, image: Any, quarter: Any) -> None:
    """As some programs write alpha."""
    image("images/1.png", "images/2.png")
    colours = np.zeros((8, 8, 4), np.uint8)
    colours[..., 0] = quarter()
    save("masks/1.png", colours)
    save("masks/2.png", np.rot90(colours))
    assert areas(load()) == [[16], [16]]


@pytest.mark.parametrize("highest", [40, 64])
def test_a_rim_of_a_number_is_a_kind(highest: int, save: Any, load: Any, image: Any) -> None:
    """20 lies along the edge of another value everywhere, as smoothing would put it, but these are numbers."""
    image("images/1.png", "images/2.png")
    mask = np.zeros((8, 8), np.uint8)
    mask[1:7, 1:7], mask[2:6, 2:6] = 20, highest
    for name in ("1", "2"):
        save(f"masks/{name}.png", mask)
    found = load()
    assert found.mask_kinds == ("20", str(highest))
    assert areas(found) == [[20, 16], [20, 16]]


def test_an_empty_mask_of_transparency_is_empty(save: Any, load: Any, image: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    white = np.full((8, 8, 4), 255, np.uint8)
    white[..., 3] = quarter()
    save("masks/1.png", white)
    white[..., 3] = 0
    save("masks/2.png", white)
    assert areas(load()) == [[16], [0]]


def test_kinds_of_all_pages_count(tmp_path: Any, load: Any, quarter: Any) -> None:
    """The first page of a stack may be empty."""
    pages = [quarter(0), quarter(10), np.maximum(quarter(10), np.rot90(quarter(200)))]
    for folder, stack in (
        ("images", [np.random.default_rng(i).integers(0, 256, (8, 8)) for i in range(3)]),
        ("masks", pages),
    ):
        (tmp_path / folder).mkdir()
        first, *others = [Image.fromarray(np.uint8(page)) for page in stack]
        first.save(tmp_path / folder / "a.tif", save_all=True, append_images=others)
    found = load(pages="all")
    assert found.mask_kinds == ("10", "200")
    assert areas(found) == [[0, 0], [16, 0], [16, 16]]


def test_an_image_of_which_all_is_transparent_marks_nothing(save: Any, load: Any, quarter: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 4)).astype(np.uint8)
    for name, alpha in (("1", quarter()), ("2", quarter(0)), ("3", quarter(0) + 255)):
        noise[..., 3] = alpha
        save(f"{name}.png", noise)
    assert areas(load(masks="alpha")) == [[16], [0], [64]]
    with pytest.raises(UserError, match="`bands`: they leave no transparency"):
        load(masks="alpha", bands=(1, 2, 3))
