import hashlib
import importlib.util
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import cache_folder, load_dataset
from stylegan_ada.datasets.packing import pack
from stylegan_ada.datasets.packing.cache import DECODERS, FORMAT_VERSION
from stylegan_ada.datasets.reading.sources import open_source
from stylegan_ada.errors import UserError


def _packs(place: Path, size: int = 8) -> int:
    """How many images were decoded to load the set."""
    calls: list[int] = []
    load_dataset(str(place), Preparation(size=size), progress=lambda done, total: calls.append(done))
    return len(calls)


def _entry(cache: Path, suffix: str) -> Path:
    [path] = (cache / "datasets").glob("*" + suffix)
    return path


def test_packed_once_until_the_source_changes(folder: Path) -> None:
    assert _packs(folder) == 6
    assert _packs(folder) == 0
    assert _packs(folder, size=4) == 6
    os.utime(folder / "cat/0.png", ns=(1, 1))
    assert _packs(folder) == 6
    (folder / "cat/2.png").unlink()
    assert _packs(folder) == 5


def test_the_pixels_are_a_plain_npy(folder: Path, cache: Path) -> None:
    found = load_dataset(str(folder), Preparation(size=8))
    np.testing.assert_array_equal(np.load(_entry(cache, ".npy")), found.images)
    assert sorted(path.suffix for path in (cache / "datasets").iterdir()) == [".json", ".npy"]


@pytest.mark.parametrize("damage", ["cut", "header", "empty", "gone", "zip", "meta cut", "meta list", "meta other"])
def test_a_damaged_entry_is_packed_again(folder: Path, cache: Path, damage: str) -> None:
    first = np.array(load_dataset(str(folder), Preparation(size=8)).images)
    npy, meta = _entry(cache, ".npy"), _entry(cache, ".json")
    data = npy.read_bytes()
    if damage == "gone":
        npy.unlink()
    elif damage.startswith("meta"):
        content = json.loads(meta.read_text())
        content["shape"][0] += 1
        text = {"meta cut": meta.read_text()[:20], "meta list": "[]", "meta other": json.dumps(content)}
        meta.write_text(text[damage])
    else:
        npy.write_bytes({"cut": data[:-1], "header": b"\0" * 8 + data[8:], "empty": b"", "zip": b"PK\x03\x04"}[damage])
    assert _packs(folder) == 6
    np.testing.assert_array_equal(load_dataset(str(folder), Preparation(size=8)).images, first)
    assert _packs(folder) == 0


def test_a_cache_that_cannot_be_written(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="set STYLEGAN_ADA_CACHE to a folder"):
        load_dataset(str(folder), Preparation(size=8))


def test_an_entry_that_cannot_be_written(folder: Path, cache: Path) -> None:
    load_dataset(str(folder), Preparation(size=8))
    npy = _entry(cache, ".npy")
    npy.unlink()
    npy.mkdir()
    with pytest.raises(UserError, match="set STYLEGAN_ADA_CACHE to a folder"):
        load_dataset(str(folder), Preparation(size=8))
    assert not list((cache / "datasets").glob(".*"))


def test_an_interrupted_pack_leaves_nothing(folder: Path, cache: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset(str(folder), Preparation(size=8), progress=stop)
    assert list((cache / "datasets").iterdir()) == []


def test_packers_at_the_same_time_agree(folder: Path) -> None:
    expected = np.array(load_dataset(str(folder), Preparation(size=8, fit="stretch")).images)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: load_dataset(str(folder), Preparation(size=8)), range(4)):
            np.testing.assert_array_equal(found.images, expected)


def test_a_packed_set_needs_no_pillow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_dataset(str(folder), Preparation(size=8))
    monkeypatch.setattr(pack, "pack", None)
    assert len(load_dataset(str(folder), Preparation(size=8))) == 6


def test_folder_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STYLEGAN_ADA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "datasets"
    assert cache_folder().parent.name == "stylegan-ada" or os.name == "nt"


def test_a_set_that_was_packed_before_a_field_was_renamed_is_found(folder: Path, cache: Path) -> None:
    """The field `beyond_8_bits` was `deep`: the key is a digest of these very letters."""
    load_dataset(str(folder), Preparation(size=8))
    with open_source(str(folder)) as source:
        identity = json.dumps(source.identity())
    options = (
        '{"size": [8, 8], "fit": "crop", "background": "white", "pages": "first", "bands": [], "channels": null, '
        '"deep": null, "window": null, "use_labels": true, "file_column": null, "label_column": null, "split": null, '
        '"groups": null}'
    )
    decoders = json.dumps([name for name in DECODERS if importlib.util.find_spec(name)])
    content = f"[{FORMAT_VERSION}, {identity}, {options}, {decoders}]"
    assert _entry(cache, ".npy").stem == hashlib.sha256(content.encode()).hexdigest()[:32]
