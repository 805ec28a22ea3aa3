import os
import time
from pathlib import Path

import numpy as np
import pytest

from stylegan_ada.metrics.feature_cache import feature_file, read_features, write_features

FEATURES = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path))
    assert feature_file("set", "network").parent == tmp_path / "features"
    monkeypatch.delenv("STYLEGAN_ADA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert feature_file("set", "network").parent == Path("/cache/stylegan-ada/features")


def test_sets_and_extractors_have_their_own_files() -> None:
    assert len({feature_file(s, e) for s in ("one", "two") for e in ("x", "y")}) == 4
    assert feature_file("one", "x") == feature_file("one", "x")


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "features.npy"
    assert read_features(path, 3) is None
    write_features(path, FEATURES)
    np.testing.assert_array_equal(read_features(path, 3), FEATURES)
    np.testing.assert_array_equal(np.load(path), FEATURES)
    assert [file.name for file in path.parent.iterdir()] == ["features.npy"]


@pytest.mark.parametrize("content", [b"", b"not numpy", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_no_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "features.npy"
    path.write_bytes(content)
    assert read_features(path, 3) is None


def test_a_file_cut_short_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "features.npy"
    write_features(path, FEATURES)
    path.write_bytes(path.read_bytes()[:-4])
    assert read_features(path, 3) is None


def test_another_shape_or_type_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "features.npy"
    write_features(path, FEATURES)
    assert read_features(path, 4) is None
    np.save(path, FEATURES.astype(np.float64))
    assert read_features(path, 3) is None


def test_a_folder_that_cannot_be_written_only_warns(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="not kept"):
        write_features(tmp_path / "file" / "features.npy", FEATURES)
    (tmp_path / "features.npy").mkdir()
    with pytest.warns(UserWarning, match="not kept"):
        write_features(tmp_path / "features.npy", FEATURES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features.npy", "file"]


def test_what_a_killed_process_left_is_deleted_once_it_is_old(tmp_path: Path) -> None:
    old, new = tmp_path / ".0123.17361640446243352001.npy", tmp_path / ".0123.17361640446243352002.npy"
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 3600,) * 2)
    write_features(tmp_path / "features.npy", FEATURES)
    assert not old.exists()
    assert new.exists()
