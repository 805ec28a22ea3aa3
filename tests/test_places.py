"""Files and folders that cannot be written are refused before the work, and nothing is left by the look at them."""

import os
from pathlib import Path
from typing import Any

import pytest

from stylegan_ada import UserError, api
from stylegan_ada.files import atomic_path, check_file, check_folder, write_text
from stylegan_ada.training import RunFolder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("mine")
    return path


def test_what_can_be_written_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_text("old")
    check_file(tmp_path / "old.png")
    check_file(tmp_path / "new.png")
    assert check_folder(tmp_path) == {"old.png"}
    assert check_folder(tmp_path / "a" / "b") == set()
    assert os.listdir(tmp_path) == ["old.png"]
    assert (tmp_path / "old.png").read_text() == "old"


def test_files_that_cannot_be_written(file: Path, tmp_path: Path) -> None:
    for path, why in {
        file / "x.png": f"`pairs` {file}/x.png: cannot write in {file} (Not a directory)",
        file / "a" / "x.png": f"cannot write in {file} (Not a directory)",
        tmp_path: f"{tmp_path}: that is a folder, give a file",
        tmp_path / "no" / "x.png": f"there is no folder {tmp_path}/no, make it or choose another",
        tmp_path / ("x" * 300): "(File name too long)",
    }.items():
        with pytest.raises(UserError) as error:
            check_file(path, "pairs")
        assert why in str(error.value)
    assert os.listdir(tmp_path) == ["file"]


def test_folders_that_cannot_be_written(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path, why in {
        file: "that is a file, give a folder",
        file / "a" / "b": f"`out` {file}/a/b: cannot write in {file} (Not a directory)",
        tmp_path / ("x" * 300): "(File name too long)",
        tmp_path / "link": f"cannot write in {tmp_path}/link (No such file or directory)",
    }.items():
        with pytest.raises(UserError) as error:
            check_folder(path)
        assert why in str(error.value)
        with pytest.raises(UserError) as error:
            RunFolder(path).check_unused()
        assert why in str(error.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


def test_what_could_not_be_begun_is_no_traceback(file: Path, tmp_path: Path) -> None:
    """The temporary file cannot be deleted, either, where it could not be made."""
    for path in (file / "x.txt", tmp_path / ("x" * 300)):
        with pytest.raises(UserError, match="cannot write"):
            write_text(path, "text")
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "y.txt") as temporary:
        temporary.write_text(str(1 / 0))
    assert os.listdir(tmp_path) == ["file"]


def test_python_is_told_as_early(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("the generator is loaded first")

    monkeypatch.setattr(api, "load_generator", never)
    with pytest.raises(UserError, match="Not a directory"):
        api.export_generator("run", file / "x.onnx")
    with pytest.raises(UserError, match="Not a directory"):
        api.import_network("network.pkl", file / "x.safetensors")
