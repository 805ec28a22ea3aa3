import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.datasets.inspect import SizeCount, inspect_source
from stylegan_ada.errors import UserError


def test_a_clean_set(folder: Path) -> None:
    found = inspect_source(str(folder))
    assert found.images == 6
    assert found.classes == {"cat": 3, "dog": 3}
    assert found.sizes == [SizeCount(8, 8, 6)]
    assert found.modes == {"RGB": 6}
    assert found.unreadable == []
    assert found.duplicates == []
    assert found.warnings == []
    assert inspect_source(str(folder), use_labels=False).classes is None


def test_everything_wrong(folder: Path, save: Callable[..., np.ndarray]) -> None:
    save("eel/only.png", 7, 9, mode="L")
    (folder / "fox").mkdir()
    (folder / "fox/bad.png").write_bytes(b"")
    Image.open(folder / "cat/0.png").save(folder / "dog/copy.tiff")  # another file, the same pixels
    shutil.copy(folder / "cat/1.png", folder / "cat/again.png")
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(folder / "cat/deep.png")
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
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
        "1 files cannot be read and would be skipped",
        "the images have 2 sizes: training needs `size`, at most 7",
        "2 images are gray and 9 in colour: all would be taken as colour",
        "1 images have 16 bits: they would be scaled to 8 bits over the whole range 0 to 65535",
        "1 files hold several pictures: the first of each would be taken",
        "2 images are exact copies of others",
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
