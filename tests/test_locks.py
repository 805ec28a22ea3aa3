"""File systems without flock: Lustre (ENOSYS), NFS without its lock daemon (ENOLCK), others (EOPNOTSUPP)."""

import errno
import fcntl
import os
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.errors import UserError
from stylegan_ada.folders import is_locked, locked_folder

STUB = """
#include <errno.h>
#include <stdlib.h>
int flock(int fd, int operation) { errno = atoi(getenv("FLOCK_ERRNO")); return -1; }
"""


def failing(number: int) -> Callable[..., Any]:
    def flock(file: Any, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    return flock


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP])
def test_without_locks_work_goes_on_and_says_so_once(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(number))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            with locked_folder(tmp_path / "run", tmp_path / "run", "busy"):
                assert not is_locked(tmp_path / "run")
    assert len(said) == 1
    assert f"{tmp_path / 'run'}: its file system has no locks" in str(said[0].message)


@pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES])
def test_a_lock_that_is_held_is_respected(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".lock").touch()
    monkeypatch.setattr(fcntl, "flock", failing(number))
    with pytest.raises(UserError, match="busy"), locked_folder(tmp_path, tmp_path, "busy"):
        pass
    assert is_locked(tmp_path)


def test_the_lock_s_holder_deletes_what_killed_processes_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, beside, key = tmp_path / "folder", tmp_path / "beside", 17361640446243352001
    for place in (folder, beside):
        place.mkdir()
        for name in (f".checkpoint-0000000008.{key}.pt", f".part.{key}", ".mine.4711.npy", f"mine.{key}.npy"):
            (place / name).touch()
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(fcntl, "flock", failing(errno.ENOLCK))
        with locked_folder(folder, folder, "busy", [beside]):  # another process may be writing
            assert len(list(beside.iterdir())) == 4
    with locked_folder(folder, folder, "busy", [beside]):
        for place in (folder, beside):
            assert {path.name for path in place.iterdir()} - {".lock"} == {".mine.4711.npy", f"mine.{key}.npy"}


def test_where_something_was_written_beside_it_a_failure_leaves_the_folder(tmp_path: Path) -> None:
    """It is by this folder that the next start knows its own files."""
    out, records = tmp_path / "out", tmp_path / "out" / ".records"

    def fail(*written: str) -> None:
        with locked_folder(records, out, "busy", [out]):
            for name in written:
                (out / name).touch()
            raise UserError("full")

    with pytest.raises(UserError, match="full"):
        fail()
    assert not records.exists()
    with pytest.raises(UserError, match="full"):
        fail("options.json")
    assert records.is_dir()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with locked_folder(tmp_path, tmp_path, "busy"):
        assert is_locked(tmp_path)
        with pytest.raises(UserError, match="busy"), locked_folder(tmp_path, tmp_path, "busy"):
            pass
    assert not is_locked(tmp_path)


def test_without_locks_the_cache_keeps_what_may_be_written(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path))
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOSYS))
    other = tmp_path / "datasets" / f".{'0123456789abcdef' * 2}.7.npy"
    other.parent.mkdir()
    other.touch()
    os.utime(other, (time.time() - 86400,) * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # two packers do not disturb each other
        assert len(load_dataset(str(image_folder), Preparation(size=16))) == 24
    assert other.exists()


def test_commands_on_such_a_file_system(
    environment: dict[str, str], image_folder: Path, tmp_path: Path, program: Callable[..., Any]
) -> None:
    (tmp_path / "stub.c").write_text(STUB)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", tmp_path / "stub.so", tmp_path / "stub.c"], check=True, timeout=300
    )
    without = {**environment, "LD_PRELOAD": str(tmp_path / "stub.so"), "FLOCK_ERRNO": str(errno.ENOLCK)}
    small = ["--size", "16", "--batch", "8", "--channel-base", "64", "--channel-max", "8", "--evaluate-kimg", "0"]
    small += ["--kimg", "0.008", "--device", "cpu", "--data", image_folder]
    done = program("train", "--out", tmp_path / "run", *small, env=without)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no locks") == 1
    done = program("train", "--out", tmp_path / "more", "--init-from", tmp_path / "run", *small, env=without)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no locks") == 2  # of either folder
    done = program("generate", "dataset", tmp_path / "run", "--out", tmp_path / "set", "--count", "4", env=without)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no locks") == 1


def test_a_mistake_before_anything_is_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="mistake"), locked_folder(tmp_path / "run", tmp_path / "run", "busy"):
        raise UserError("a mistake")
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_after_something_is_written_leaves_that(tmp_path: Path) -> None:
    tmp_path.joinpath("run").mkdir()
    tmp_path.joinpath("run", "log.jsonl").touch()
    with pytest.raises(UserError, match="mistake"), locked_folder(tmp_path / "run", tmp_path / "run", "busy"):
        raise UserError("a mistake")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {".lock", "log.jsonl"}
