import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets.inspect.inspection import SizeCount, inspect_source
from stylegan_ada.errors import UserError

SMALL = (
    "{} classes have fewer than 50 images (smallest: {!r}, {}): they may be learned badly, training with few images "
    "per class can collapse (see `transition` and `balance`)"
)


@pytest.fixture
def blots() -> np.ndarray:
    """uint8 [20, 40, 40]: pictures of one kind, dark and bright blots on one frame."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:40, :40]
    frame = 120 + 60 * ((x // 8 + y // 8) % 2)
    made = []
    for _ in range(20):
        centres = rng.uniform(0, 40, (6, 2))
        picture = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / 40) * rng.uniform(-90, 90) for a, b in centres)
        made.append(np.clip(frame + picture, 0, 255).astype(np.uint8))
    return np.stack(made)


def test_a_clean_set(folder: Path) -> None:
    found = inspect_source(str(folder))
    assert found.images == 6
    assert found.classes == {"cat": 3, "dog": 3}
    assert found.sizes == [SizeCount(8, 8, 6)]
    assert found.modes == {"RGB": 6}
    assert found.unreadable == []
    assert found.duplicates == []
    assert found.near_duplicates == []
    assert found.groups is None
    assert found.labels_refused is None
    assert found.holdout == 0
    assert found.warnings == [SMALL.format(2, "cat", 3)]
    plain = inspect_source(str(folder), Preparation(use_labels=False))
    assert plain.classes is None
    assert plain.holdout == 1
    assert plain.warnings == []


def test_everything_wrong(folder: Path, save: Callable[..., np.ndarray]) -> None:
    save("eel/only.png", 7, 9, mode="L")
    (folder / "fox").mkdir()
    (folder / "fox/bad.png").write_bytes(b"")
    Image.open(folder / "cat/0.png").save(folder / "dog/copy.tiff")  # another file, the same pixels
    shutil.copy(folder / "cat/1.png", folder / "cat/again.png")
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(folder / "cat/deep.png")
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(folder / "dog/frames.tiff", save_all=True, append_images=frames[1:])
    found = inspect_source(str(folder))
    assert found.images == 11
    assert found.classes == {"cat": 5, "dog": 5, "eel": 1, "fox": 0}
    assert found.sizes == [SizeCount(8, 8, 10), SizeCount(7, 9, 1)]
    assert found.modes == {"RGB": 9, "I;16": 1, "L": 1}
    assert [(file.file, file.reason[:9]) for file in found.unreadable] == [("fox/bad.png", "not a PNG")]
    assert found.duplicates == [["cat/0.png", "dog/copy.tiff"], ["cat/1.png", "cat/again.png"]]
    assert found.warnings == [
        "class 'eel' has only one readable image",
        "class 'fox' has no readable image",
        SMALL.format(2, "cat", 5),
        "1 files cannot be read and would be skipped",
        "the images have 2 sizes: training needs `size`, at most 7, or auto",
        "2 images are gray and 9 in colour: all would be taken as colour",
        "1 images have more than 8 bits and 10 have not: all would be brought to 8 bits, 0 to 65535 to 0 to 255",
        "1 images use less than a quarter of the brightness range (99.9% of their pixels are at most 0 of 255): "
        "stretch their contrast first (preset scan in docs/data.md)",
        "1 files hold several pictures: the first of each would be taken",
        "2 images are blank, of one colour throughout (first: 'cat/deep.png')",
        "2 images are exact copies of others: a hold-out keeps copies on one side",
        "1 images are in more than one class (first: 'cat/0.png')",
    ]


def test_all_unreadable_is_told_not_raised(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    found = inspect_source(str(tmp_path))
    assert found.images == 0
    assert len(found.unreadable) == 1
    (tmp_path / "a.png").unlink()
    with pytest.raises(UserError, match="no image files"):
        inspect_source(str(tmp_path))


def test_near_duplicates_across_classes_and_groups(tmp_path: Path, blots: np.ndarray) -> None:
    """Distinct pictures of one kind are none."""
    lines = ["file,label,group"]
    for index, pixels in enumerate(blots):
        Image.fromarray(pixels).save(tmp_path / f"{index:02d}.png")
        lines.append(f"{index:02d}.png,{'good' if index < 10 else 'bad'},module {index // 2}")
    Image.fromarray(blots[3]).save(tmp_path / "again.jpg", quality=92)
    Image.fromarray((blots[12] * 0.8 + 3).astype(np.uint8)).save(tmp_path / "darker.png")
    shutil.copy(tmp_path / "05.png", tmp_path / "exact.png")
    lines += ["again.jpg,bad,module 1", "darker.png,bad,module 9", "exact.png,good,module 0"]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    found = inspect_source(str(tmp_path))
    assert found.groups == 10
    assert found.near_duplicates == [["03.png", "again.jpg"], ["12.png", "darker.png"]]
    assert found.duplicates == [["05.png", "exact.png"]]
    assert found.warnings[1:] == [
        "1 images are exact copies of others: a hold-out keeps copies on one side",
        "1 images are in more than one group (first: '05.png')",
        "2 pairs of images are nearly the same picture (first: '03.png' and 'again.jpg'): a hold-out keeps such "
        "images on one side",
        "1 of these pairs are in two classes (first: '03.png' and 'again.jpg'): one of the labels may be wrong",
        "1 of these pairs are in two groups (first: '12.png' and 'darker.png'): these groups stay together, too",
    ]
    plain = inspect_source(str(tmp_path), Preparation(use_labels=False))
    assert plain.near_duplicates == found.near_duplicates
    assert len(plain.warnings) == 2
    assert plain.groups is None


@pytest.mark.parametrize(("dark", "warned"), [(1, False), (2, True)])
def test_images_that_use_little_of_the_range(tmp_path: Path, dark: int, warned: bool) -> None:
    """Levels up to 15, with one hot pixel. One of 25 is no wonder, two are."""
    levels = np.linspace(0, 255, 64 * 64).astype(np.uint8).reshape(64, 64)
    for index in range(25):
        pixels = np.roll(levels // 16 if index < dark else levels, index, axis=0)
        pixels[0, 0] = 255
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    found = inspect_source(str(tmp_path))
    assert found.gray_range == (0, 255)
    said = [line for line in found.warnings if "brightness" in line]
    assert len(said) == warned
    if warned:
        assert (
            "2 images use less than a quarter of the brightness range (99.9% of their pixels are at most 15 " in said[0]
        )


def test_images_of_12_bits_in_16_keep_them(tmp_path: Path) -> None:
    """So their range is no matter, and floating-point ones are looked at, too."""
    for index in range(4):
        levels = np.random.default_rng(index).integers(0, 4096, (16, 16))
        Image.fromarray(levels.astype(np.uint16)).save(tmp_path / f"{index}.png")
    Image.fromarray(np.random.default_rng(5).normal(0, 9, (16, 16)).astype(np.float32)).save(tmp_path / "f.tiff")
    found = inspect_source(str(tmp_path))
    assert (found.images, found.unreadable, found.warnings) == (5, [], [])


def test_the_gray_range_is_that_of_all_images(tmp_path: Path) -> None:
    for name, levels in {"a": (30, 90), "b": (80, 200)}.items():
        Image.fromarray(np.uint8([levels] * 5)).save(tmp_path / f"{name}.png")
    assert inspect_source(str(tmp_path)).gray_range == (30, 200)


def test_labels_that_training_would_refuse(folder: Path, save: Callable[..., np.ndarray]) -> None:
    save("eel/only.png")
    found = inspect_source(str(folder))
    assert found.labels_refused is not None
    assert "class 'eel' has only one readable image" in found.labels_refused
    assert found.holdout == 1  # a tenth of seven images, without labels
