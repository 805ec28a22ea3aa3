import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import ImageDataset, load_dataset
from stylegan_ada.errors import UserError

Save = Callable[..., np.ndarray]
FILES = ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png", "dog/sub/2.bmp")


def test_folder_is_packed_with_its_classes(folder: Path, save: Save) -> None:
    last = save("dog/sub/3.bmp")
    calls: list[tuple[int, int]] = []
    found = load_dataset(str(folder), progress=lambda done, total: calls.append((done, total)))
    assert found.images.shape == (7, 3, 8, 8)
    assert found.images.dtype == np.uint8
    assert isinstance(found.images, np.memmap)
    assert not found.images.flags.writeable
    assert found.image_shape == (3, 8, 8)
    assert len(found) == 7
    assert found.names[0] == "cat/0.png"
    for image, name in zip(found.images, found.names, strict=True):
        np.testing.assert_array_equal(image, np.asarray(Image.open(folder / name)).transpose(2, 0, 1))
    np.testing.assert_array_equal(found.images[-1], last.transpose(2, 0, 1))
    assert found.classes == ("cat", "dog")
    assert found.labels is not None
    assert found.labels.dtype == np.int64
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert found.label_vectors([0, 6]).tolist() == [[1, 0], [0, 1]]
    assert found.label_vectors(np.array([1])).dtype == np.float32
    assert calls == [(done, 7) for done in range(1, 8)]


def test_without_labels(folder: Path) -> None:
    (folder / "labels.csv").write_text("nonsense")
    (folder / "beside.png").write_bytes((folder / "cat/0.png").read_bytes())
    found = load_dataset(str(folder), Preparation(size=8, use_labels=False))
    assert len(found) == 7
    assert found.labels is None
    assert found.classes == ()
    assert found.c_dim == 0
    assert found.label_vectors([0, 1, 2]).shape == (3, 0)


def test_channels(folder: Path, save: Save, tmp_path: Path) -> None:
    assert load_dataset(str(folder), Preparation(size=4, channels=1)).image_shape == (1, 4, 4)
    shutil.rmtree(folder)
    gray = [save(f"{i}.png", mode="L") for i in range(2)]
    found = load_dataset(str(folder), Preparation(size=8))
    np.testing.assert_array_equal(found.images[:, 0], gray)
    assert load_dataset(str(folder), Preparation(size=8, channels=3)).image_shape == (3, 8, 8)
    save("2.png")
    mixed = load_dataset(str(folder), Preparation(size=8))
    np.testing.assert_array_equal(mixed.images[:2], np.repeat(np.array(gray)[:, None], 3, 1))


def test_height_and_width(folder: Path) -> None:
    assert load_dataset(str(folder), Preparation(size=(4, 8), fit="stretch")).image_shape == (3, 4, 8)


def test_dataset_json_in_a_zip(folder: Path, tmp_path: Path) -> None:
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*"))
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for name in names:
            archive.write(folder / name, name)
        archive.writestr("dataset.json", json.dumps({"labels": [[name, i % 3] for i, name in enumerate(names)]}))
    found = load_dataset(str(tmp_path / "s.zip"), Preparation(size=8))
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert found.classes == ("0", "1", "2")
    np.testing.assert_array_equal(found.images, load_dataset(str(folder), Preparation(size=8)).images)


def test_unreadable_files_are_skipped_and_named(folder: Path) -> None:
    whole = (folder / "cat/0.png").read_bytes()
    (folder / "cat/broken.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dog/empty.png").touch()
    (folder / "dog/gone.png").symlink_to(folder / "nothing.png")
    found = load_dataset(str(folder), Preparation(size=8))
    assert len(found) == 6
    assert [name for name, _ in found.skipped] == ["cat/broken.png", "dog/empty.png", "dog/gone.png"]
    assert found.skipped[2][1] == "No such file or directory"
    again = load_dataset(str(folder), Preparation(size=8))
    assert again.skipped == found.skipped


def test_fingerprint_follows_content_not_place(folder: Path, tmp_path: Path) -> None:
    def load(place: Path, **options: object) -> ImageDataset:
        return load_dataset(str(place), Preparation(**{"size": 8, **options}))

    first = load(folder).fingerprint
    shutil.copytree(folder, tmp_path / "copy")
    shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    assert load(tmp_path / "copy").fingerprint == first
    assert load(tmp_path / "packed.zip").fingerprint == first
    options: list[dict[str, object]] = [{"size": 4}, {"fit": "stretch"}, {"channels": 1}, {"use_labels": False}]
    seen = {first, *(load(folder, **option).fingerprint for option in options)}
    (folder / "cat").rename(folder / "eel")
    seen.add(load(folder).fingerprint)
    image = Image.open(folder / "eel/0.png")
    image.putpixel((0, 0), (image.getpixel((0, 0))[0] ^ 1, 0, 0))
    image.save(folder / "eel/0.png")
    seen.add(load(folder).fingerprint)
    assert len(seen) == 7


def test_size_errors(folder: Path, save: Save) -> None:
    with pytest.raises(UserError, match=r"6 images are smaller than 16x16 \(first: 'cat/0.png' is 8x8.*`size` 8 or"):
        load_dataset(str(folder), Preparation(size=16))
    save("cat/wide.png", 7, 20)
    with pytest.raises(UserError, match=r"first: 'cat/wide.png' is 7x20.*`size` 7 or less"):
        load_dataset(str(folder), Preparation(size=8))
    with pytest.raises(UserError, match=r"`size` 7x8 or less"):
        load_dataset(str(folder), Preparation(size=(8, 4)))
    with pytest.raises(UserError, match=r"differ in size \('cat/0.png' is 8x8, 'cat/wide.png' is 7x20.*at most 7"):
        load_dataset(str(folder))


def test_option_errors(folder: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'stretch'"):
        load_dataset(str(folder), Preparation(size=8, fit="strech"))
    with pytest.raises(UserError, match="size 0x0 is impossible"):
        load_dataset(str(folder), Preparation(size=0))
    with pytest.raises(UserError, match="2 channels"):
        load_dataset(str(folder), Preparation(size=8, channels=2))


def test_empty_and_all_unreadable(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    with pytest.raises(UserError, match=r"no image files in .*\.png \.jpg .*\.bmp"):
        load_dataset(str(tmp_path / "s"), Preparation(size=8))
    for name in ("a.png", "b.jpg"):
        (tmp_path / "s" / name).write_bytes(b"x")
    with pytest.raises(UserError, match=r"none of the 2 .*first: 'a.png': not a PNG"):
        load_dataset(str(tmp_path / "s"), Preparation(size=8))


def test_a_class_with_one_image(folder: Path, save: Save, cache: Path) -> None:
    save("eel/0.png")
    with pytest.raises(UserError, match=r"'eel' has only one readable image \('eel/0.png'\).*`no_labels`"):
        load_dataset(str(folder), Preparation(size=8))
    save("eel/1.png")
    whole = (folder / "eel/1.png").read_bytes()
    (folder / "eel/1.png").write_bytes(whole[:-40])  # found out only when the pixels are decoded
    with pytest.raises(UserError, match="'eel' has only one readable"):
        load_dataset(str(folder), Preparation(size=8))
    (folder / "eel/0.png").write_bytes(whole[:-40])
    with pytest.raises(UserError, match="'eel' has no readable image"):
        load_dataset(str(folder), Preparation(size=8))
    assert os.listdir(cache / "datasets") == []


def test_encrypted_zip_is_all_unreadable(tmp_path: Path, save: Save) -> None:
    save("a.png")
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.write(tmp_path / "set/a.png", "a.png")
    data = bytearray((tmp_path / "s.zip").read_bytes())
    data[6] |= 1  # the flag of encryption, in the local header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "s.zip").write_bytes(data)
    with pytest.raises(UserError, match=r"none of the 1 .*encrypted"):
        load_dataset(str(tmp_path / "s.zip"), Preparation(size=8))


def test_groups_come_with_the_labels(folder: Path) -> None:
    lines = ["file,label,group"] + [f"{name},{name[:3]},g{index % 3}" for index, name in enumerate(FILES)]
    (folder / "labels.csv").write_text("\n".join(lines))
    plain = load_dataset(str(folder))
    assert plain.groups == ("g0", "g1", "g2", "g0", "g1", "g2")
    assert load_dataset(str(folder), Preparation(use_labels=False)).groups is None
    (folder / "labels.csv").write_text("\n".join(lines).replace("g1", "g0"))
    assert load_dataset(str(folder)).fingerprint != plain.fingerprint  # another hold-out: another set
    (folder / "labels.csv").write_text("\n".join(lines).replace("g2", ""))
    with pytest.raises(UserError, match="line 4 lacks a group"):
        load_dataset(str(folder))
