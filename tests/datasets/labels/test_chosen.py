"""Trees of files as people have them: splits, masks, folders without images."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import ImageDataset, load_dataset
from stylegan_ada.datasets.inspect.inspection import inspect_source
from stylegan_ada.datasets.labels.masks import find_masks
from stylegan_ada.datasets.labels.splits import splits_of_folders
from stylegan_ada.errors import UserError

Save = Callable[..., np.ndarray]


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (["a/benign (1).png", "a/x.jpg"], ["a/benign (1)_mask.png", "a/benign (1)_mask_1.png", "a/x-Seg.png"]),
        (["train/good/000.png", "test/crack/000.png"], ["ground_truth/crack/000_mask.png"]),
        (["b/train/good/000.png", "b/test/crack/000.png"], ["b/ground_truth/crack/000_mask.png"]),
        (["images/1.png", "images/2.png"], ["masks/1.png", "masks/2.png"]),
        (["image/1.png", "image/2.png"], ["mask/1.png", "mask/2.png"]),
        (["images/train/1.png", "images/val/1.png"], ["labels/train/1.png", "labels/val/1.png"]),
        (["train/images/1.png", "val/images/1.png"], ["train/masks/1.png", "val/masks/1.png"]),
        (["JPEGImages/2007_1.jpg"], ["SegmentationClass/2007_1.png", "SegmentationObject/2007_1.png"]),
        (["cat/1.png", "dog/2.png"], ["cat/mask/1.png", "masks/2.png"]),
        (["cat/1.png", "dog/1.png"], ["mask/cat/1.png", "mask/dog/1.png"]),
        (["train2017/1.jpg", "val2017/2.jpg"], ["labels/train2017/1.png", "labels/val2017/2.png"]),
        (
            ["cat/1.png", "cat/2.png"],
            ["cat/thumbs/1.png", "cat/thumbs/2.png", "cat/1_thumb.png", "cat/2-thumbnail.png"],
        ),
        # ordinary classes
        (["thumbs/1.png", "fingers/2.png"], []),
        (["mask/000.png", "mask/001.png", "no_mask/000.png", "no_mask/001.png"], []),
        (["masks/m1.png", "faces/f1.png"], []),
        (["labels/000.png", "bottles/000.png", "caps/000.png"], []),
        (["a/seg.png", "a/x_mask.png", "a/y.png"], []),
        (["mask/1.png", "mask/2.png"], []),
    ],
)
def test_masks_are_those_that_go_with_an_image(images: list[str], masks: list[str]) -> None:
    assert set(find_masks(images + masks)) == set(masks)


@pytest.mark.parametrize(
    ("names", "splits", "below"),
    [
        (["train/a/1.png", "Test/b/2.png"], ["train", "Test"], ["a/1.png", "b/2.png"]),
        (["images/train/1.png", "images/val/2.png"], ["train", "val"], ["1.png", "2.png"]),
        (["train/images/1.png", "valid/images/2.png"], ["train", "valid"], ["1.png", "2.png"]),
        (["cat/train/1.png", "dog/test/2.png"], ["train", "test"], ["cat/1.png", "dog/2.png"]),
        (["train2017/1.png", "val2017/2.png"], ["train2017", "val2017"], ["1.png", "2.png"]),
        (["train_images/a/1.png", "test_images/b/2.png"], ["train_images", "test_images"], ["a/1.png", "b/2.png"]),
        (["Training Data/a/1.png", "Test Data/b/2.png"], ["Training Data", "Test Data"], ["a/1.png", "b/2.png"]),
        (["images/train2017/1.png", "images/val2017/2.png"], ["train2017", "val2017"], ["1.png", "2.png"]),
        (["trains/1.png", "tests/2.png"], [], ["trains/1.png", "tests/2.png"]),
        (["test/1.png", "rest/2.png"], [], ["test/1.png", "rest/2.png"]),
        (["train/1.png", "2.png"], [], ["train/1.png", "2.png"]),
        (["a/test/1.png", "b/2.png"], [], ["a/test/1.png", "b/2.png"]),
        (["train/a/1.png", "training/a/2.png"], [], ["train/a/1.png", "training/a/2.png"]),
    ],
)
def test_splits_are_folders_that_hold_all_images(names: list[str], splits: list[str], below: list[str]) -> None:
    found = splits_of_folders(names, None)
    assert [found.of[name] for name in names if name in found.of] == splits
    assert [found.below[name] for name in names] == below
    assert not splits_of_folders(names, "none").of


def _load(folder: Path, **options: object) -> ImageDataset:
    return load_dataset(str(folder), Preparation(size=8, **options))


@pytest.fixture
def split_set(tmp_path: Path, save: Save) -> Path:
    for split, count in (("train", 4), ("val", 2)):
        for label in ("cat", "dog"):
            for number in range(count):
                save(f"{split}/{label}/{number}.png")
    return tmp_path / "set"


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_the_classes_of_all_splits_are_taken(split_set: Path, kind: str) -> None:
    place = split_set if kind == "folder" else Path(shutil.make_archive(str(split_set), "zip", split_set))
    found = _load(place)
    assert (found.classes, len(found)) == (("cat", "dog"), 12)
    assert any("folders train, val are splits" in note and "12 images" in note for note in found.notes)
    assert [name[:3] for name in _load(place, split="val").names] == ["val"] * 4
    assert len(_load(place, split="train, Validation")) == 12
    assert _load(place, split="none").classes == ("train", "val")
    assert len(inspect_source(str(place), Preparation(split="val")).classes or {}) == 2


def test_a_split_that_is_not_there(split_set: Path) -> None:
    with pytest.raises(UserError, match=r"no 'test' in .*there are train, val"):
        _load(split_set, split="test")
    with pytest.raises(UserError, match="neither folders"):
        _load(split_set / "train", split="train")
    for wrong in ("", "train,,val", "none,train"):
        with pytest.raises(UserError, match="`split`"):
            Preparation(split=wrong)


def test_test_images_without_classes_are_left_out(split_set: Path, save: Save) -> None:
    for number in range(3):
        save(f"test/{number}.png")
    found = _load(split_set)
    assert (found.classes, len(found)) == (("cat", "dog"), 12)
    assert any(note.startswith("warning: 3 images lie in no folder of a class") for note in found.notes)
    assert len(_load(split_set, use_labels=False)) == 15


def test_a_column_says_the_split(folder: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    lines = [f"{name},{name[:3]},{'test' if '1' in name or '2' in name else 'Train'}" for name in names]
    (folder / "labels.csv").write_text("file,label,split\n" + "\n".join(lines))
    assert len(_load(folder)) == 6
    assert _load(folder, split="test").names == ("cat/1.png", "cat/2.png", "dog/1.png", "dog/sub/2.bmp")
    assert _load(folder, split="train", use_labels=False).names == ("cat/0.png", "dog/0.png")


def test_masks_are_left_out_and_told(folder: Path, save: Save) -> None:
    for name in ("cat/0_mask.png", "cat/1_mask.png", "ground_truth/dog/0.png"):
        save(name, mode="L")
    found = _load(folder)
    assert (found.classes, len(found)) == (("cat", "dog"), 6)
    assert "warning: 3 files are masks or thumbnails of images (such as 'cat/0_mask.png'): left out" in found.notes
    assert (
        "3 files are masks or thumbnails of images (such as 'cat/0_mask.png'): left out"
        in inspect_source(str(folder)).warnings
    )


def test_a_label_file_may_name_masks_or_not(folder: Path, save: Save) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    save("cat/0_mask.png")
    lines = [f"{name},{name[:3]}" for name in names]
    (folder / "labels.csv").write_text("file,label\n" + "\n".join(lines))
    assert len(_load(folder)) == 6
    (folder / "labels.csv").write_text("file,label\n" + "\n".join([*lines, "cat/0_mask.png,dog"]))
    assert len(_load(folder)) == 7


def test_folders_without_images_are_named(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "bird").mkdir()
    (folder / "bird/1.heic").write_bytes(b"x")
    (folder / "cat/notes.txt").write_text("x")
    expected = "2 folders hold no image that can be read: 'bird', 'empty': they become no classes"
    assert f"warning: {expected}" in _load(folder).notes
    heic = "1 file is no image that can be read: 1 .heic; .heic: convert them to PNG or TIFF"
    assert f"warning: {heic}" in _load(folder).notes
    warnings = inspect_source(str(folder)).warnings
    assert expected in warnings
    assert any(line.startswith("2 files are no images that can be read: 1 .heic, 1 .txt") for line in warnings)


def test_one_class_folder_is_left(folder: Path) -> None:
    shutil.rmtree(folder / "dog")
    (folder / "dog").mkdir()
    (folder / "docs").mkdir()
    (folder / "docs/readme.txt").write_text("x")
    found = _load(folder)
    assert found.classes == ()
    assert "warning: the folder 'dog' holds no image that can be read: it becomes no class" in found.notes


def _pixels(path: Path) -> np.ndarray:
    found = load_dataset(str(path.parent), Preparation(beyond_8_bits=False))
    return found.images[0]


@pytest.mark.parametrize("suffix", ["gif", "jp2", "pgm", "avif", "jfif", "jpe", "npy"])
def test_gray_formats(tmp_path: Path, suffix: str) -> None:
    pixels = np.linspace(0, 255, 16 * 16).astype(np.uint8).reshape(16, 16)
    path = tmp_path / "set" / f"x.{suffix}"
    path.parent.mkdir()
    if suffix == "npy":
        np.save(path, pixels)
    else:
        kind = {"jfif": "JPEG", "jpe": "JPEG", "jp2": "JPEG2000", "pgm": "PPM"}.get(suffix, suffix.upper())
        Image.fromarray(pixels).save(path, kind)
    exact = suffix in ("gif", "jp2", "pgm", "npy")
    assert np.abs(_pixels(path).mean(0) - pixels.astype(float)).max() <= (0 if exact else 12)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, bool])
def test_arrays_of_all_kinds(tmp_path: Path, axes: tuple[int, ...], dtype: type) -> None:
    values = (np.random.default_rng(0).random((8, 12, 3)) * 255).astype(dtype)
    (tmp_path / "set").mkdir()
    np.save(tmp_path / "set/x.npy", values.transpose(axes))
    found = load_dataset(str(tmp_path / "set"), Preparation(channels=3))
    assert found.image_shape == (3, 8, 12)
    assert (found.levels is None) == (dtype in (np.uint8, bool))
    if found.levels is None:
        expected = values.astype(np.uint8) * (255 if dtype is bool else 1)
        assert np.array_equal(found.images[0], expected.transpose(2, 0, 1))
    else:
        low, high = values.min(), values.max()
        assert found.window == pytest.approx((low, high))
        shown = found.levels[0].transpose(1, 2, 0) / 65535 * (float(high) - float(low)) + float(low)
        assert np.abs(shown - values).max() < 0.01


def test_hostile_arrays_are_skipped(tmp_path: Path) -> None:
    place = tmp_path / "set"
    place.mkdir()
    np.save(place / "good.npy", np.zeros((8, 8), np.uint8))
    np.save(place / "object.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    np.save(place / "stack.npy", np.zeros((100, 80, 80), np.uint8))
    np.save(place / "empty.npy", np.zeros((0, 8), np.uint8))
    whole = (place / "good.npy").read_bytes()
    (place / "cut.npy").write_bytes(whole[:-1])
    (place / "large.npy").write_bytes(whole.replace(b"(8, 8), }", b"(99999, 99999), }")[: len(whole)])
    (place / "header.npy").write_bytes(whole[:20])
    found = load_dataset(str(place))
    assert found.names == ("good.npy",)
    reasons = dict(found.skipped)
    assert set(reasons) == {"object.npy", "stack.npy", "empty.npy", "cut.npy", "large.npy", "header.npy"}
    assert reasons["cut.npy"] == "it is cut off"
    assert "100x80x80" in reasons["stack.npy"]
