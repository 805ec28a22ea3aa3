"""Where masks lie, which go with which image, and what is said of those that are missing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylegan_ada import UserError


@pytest.mark.parametrize(
    ("data", "masks", "pairs"),
    [
        ("", "auto", {"images/1.png": "masks/1.png", "images/2.png": "masks/2.png"}),
        ("", "auto", {"images/1.png": "labels/1.png", "images/2.png": "labels/2.png"}),
        ("", "auto", {"images/a/1.png": "masks/a/1.png", "images/b/1.png": "masks/b/1.png"}),
        ("", "auto", {"a/x.png": "a/x_mask.png", "b/x.png": "b/x_mask.png"}),
        (
            "",
            "auto",
            {"test/crack/0.png": "ground_truth/crack/0_mask.png", "test/dent/0.png": "ground_truth/dent/0.png"},
        ),
        ("", "auto", {"JPEGImages/1.png": "SegmentationClass/1.png", "JPEGImages/2.png": "SegmentationClass/2.png"}),
        ("", "auto", {"x.png": "masks/x.bmp", "y.png": "masks/y.tif"}),
        ("pictures", "gt", {"pictures/a/1.png": "gt/a/1.png", "pictures/b/1.png": "gt/b/1_mask.png"}),
        ("pictures", "gt", {"pictures/a/1.png": "gt/1.png", "pictures/b/2.png": "gt/2.png"}),
        ("pictures", "gt", {"pictures/1.png": "gt/x/1.png", "pictures/2.png": "gt/y/2.png"}),
        (
            "p/test",
            "p/gt",
            {"p/test/crack/0.png": "p/gt/crack/0_mask.png", "p/test/dent/0.png": "p/gt/dent/0_mask.png"},
        ),
    ],
)
def test_every_image_has_its_own_mask(
    data: str,
    masks: str,
    pairs: dict[str, str],
    tmp_path: Path,
    image: Callable[..., None],
    save: Callable[..., None],
    load: Callable[..., Any],
) -> None:
    image(*pairs)
    for row, mask in enumerate(pairs.values()):
        pixels = np.zeros((8, 8), np.uint8)
        pixels[row] = 255
        save(mask, pixels)
    found = load(data, masks if masks == "auto" else str(tmp_path / masks), use_labels=False)
    assert found.mask_kinds == ("mask",)
    rows = {name: row for row, name in enumerate(pairs)}
    for name, mask in zip(found.names, found.masks, strict=True):
        (row,) = [rows[whole] for whole in pairs if whole.endswith(name)]
        expected = np.zeros((8, 8))
        expected[row] = 255
        assert np.array_equal(mask[0], expected), name


def test_several_masks_of_an_image_are_one(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("x.png", "y.png")
    save("x_mask.png", quarter())
    save("x_mask_1.png", np.rot90(quarter(), 2))
    save("y_mask.png", quarter())
    found = load()
    assert (found.masks[0] == 255).sum() == 32
    assert (found.masks[1] == 255).sum() == 16


def test_labels_are_what_they_are_without_masks(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("cut/1.png", "cut/2.png", "dent/1.png", "dent/2.png")
    for name in ("cut/1", "cut/2", "dent/1", "dent/2"):
        save(f"{name}_mask.png", quarter())
    found = load()
    assert found.classes == ("cut", "dent")
    assert found.names == ("cut/1.png", "cut/2.png", "dent/1.png", "dent/2.png")
    assert not any("left out" in note for note in found.notes)


def test_a_missing_mask_is_a_line_or_background(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png", "images/3.png")
    save("masks/1.png", quarter())
    save("masks/3.png", quarter())
    with pytest.raises(UserError, match=r"1 of 3 images has no mask \(first: 'images/2.png'\).*`unmasked` background"):
        load()
    found = load(unmasked="background")
    assert [int(mask.max()) for mask in found.masks] == [255, 0, 255]


def test_no_masks_at_all_are_a_line(image: Any, load: Any, tmp_path: Path) -> None:
    image("set/1.png", "set/2.png", "elsewhere/9.png")
    with pytest.raises(UserError, match="`masks` auto: there are none beside the images"):
        load("set")
    with pytest.raises(UserError, match="there is no"):
        load("set", masks=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="none of them goes with an image"):
        load("set", masks=str(tmp_path / "elsewhere"))


def test_another_mask_is_another_set(image: Any, save: Any, load: Any, quarter: Any) -> None:
    image("images/1.png", "images/2.png")
    for name in ("1", "2"):
        save(f"masks/{name}.png", quarter())
    before = load()
    save("masks/2.png", np.rot90(quarter()))
    after = load()
    assert before.fingerprint != after.fingerprint
    assert np.array_equal(after.masks[1, 0], np.rot90(quarter()))


@pytest.mark.parametrize(
    ("images", "masks", "without"),
    [
        # in a folder of masks
        (["train/a/001.png", "val/a/001.png"], {"gt/val/a/001.png": "val/a/001.png"}, "train/a/001.png"),
        (["train/a/001.png", "val/a/001.png"], {"gt/a/001.png": None}, "train/a/001.png"),
        # beside the images
        (["train/crack/0.png", "test/crack/0.png"], {"ground_truth/crack/0_mask.png": None}, "crack/0.png"),
        (["images/good/1.png", "images/good/2.png"],
         {"masks/good/1.png": "images/good/1.png", "masks/bad/2.png": None}, "images/good/2.png"),
    ],
)  # fmt: skip
def test_no_image_takes_the_mask_of_another(
    images: list[str], masks: dict[str, str | None], without: str, image: Any, save: Any, tmp_path: Path, load: Any
) -> None:
    image(*images)
    marked = np.zeros((8, 8), np.uint8)
    marked[:2] = 255
    for name in masks:
        save(name, marked)
    place = str(tmp_path / "gt") if any(name.startswith("gt/") for name in masks) else "auto"
    options = {"use_labels": False, "split": "none" if place == "auto" else None}
    if place != "auto":
        for name in images:
            (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).rename(tmp_path / "data" / name)
    data = "" if place == "auto" else "data"
    with pytest.raises(UserError, match=r"no mask|none of them goes with an image") as raised:
        load(data, place, **options)
    assert without in str(raised.value) or "none of them" in str(raised.value)
    if any(masks.values()):
        found = load(data, place, unmasked="background", **options)
        marks = {name: int((mask > 0).sum()) for name, mask in zip(found.names, found.masks, strict=True)}
        for name in images:
            wanted = 16 if name in masks.values() else 0
            assert [count for own, count in marks.items() if name.endswith(own)] == [wanted]


def test_a_class_called_thumb_keeps_its_masks(image: Any, save: Any, load: Any, quarter: Any) -> None:
    names = [f"{finger}/{number}.png" for finger in ("thumb", "index") for number in (1, 2)]
    image(*(f"images/{name}" for name in names))
    for turns, name in enumerate(names):
        save(f"masks/{name}", np.rot90(quarter(), turns))
    found = load()
    turned = {name.removeprefix("images/"): mask[0] for name, mask in zip(found.names, found.masks, strict=True)}
    assert {name: int(mask.sum()) for name, mask in turned.items()} == dict.fromkeys(names, 16 * 255)
    for turns, name in enumerate(names):
        assert (turned[name] == np.rot90(quarter(), turns)).all()
