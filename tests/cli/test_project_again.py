"""A projection that is begun again: after a failed write, after a kill, and when it is finished."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def contents(folder: Path) -> dict[str, bytes]:
    """All that a user sees, and what was measured."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_write_that_fails_skips_that_image_and_the_same_command_mends_it(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["project", trained_run, few, "--no-coverage", *quick, "--batch", 2, "--out"]
    assert command(*arguments, tmp_path / "whole").code == 0
    save = np.savez

    def full(file: Any, **arrays: np.ndarray) -> None:
        if Path(file.name).name.startswith(".03.") or every:  # beside 03.npz, before it is renamed
            raise OSError(28, "No space left on device")
        save(file, **arrays)

    every = False
    with monkeypatch.context() as patch:
        patch.setattr("numpy.savez", full)
        result = command(*arguments, tmp_path / "out")
        assert result.code == 0
        assert "dark/03.png is skipped: cannot write" in result.err
        assert "No space left on device" in result.err
        assert "warning: 1 images are left out" in result.err
        assert (tmp_path / "out/projections.csv").read_text().count("\n") == 1 + 5
        every = True
        assert "no image could be written there" in fails(*arguments, tmp_path / "none", code=1)
    assert "2 images projected" in command(*arguments, tmp_path / "out").out  # its batch
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_the_same_files_on_one_process_two_and_after_a_kill(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    start: Callable[..., Any],
    environment: dict[str, str],
    one_thread: None,
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["project", trained_run, few, "--batch", 2, *quick]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", 2, "--master-port", port]

    def call(name: str, launcher: list[int | str] | tuple[()] = ()) -> subprocess.Popen[str]:
        # an own cache each, so that every one measures what is covered
        line = [sys.executable, *launcher, "-m", "stylegan_ada", *arguments, "--out", tmp_path / name]
        own = {**environment, "STYLEGAN_ADA_CACHE": str(tmp_path / f"cache-{name}")}
        return start(*line, env=own)

    def run_here(name: str) -> Any:
        monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / f"cache-{name}"))
        return command(*arguments, "--out", tmp_path / name)

    one = run_here("one")
    assert one.code == 0, one
    process = call("two", torchrun)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.count("images, projections.csv") == 1  # one process speaks
    process = call("killed")
    records = tmp_path / "killed/.records"
    while len(list(records.glob("[!.]*.json"))) < 2:  # a batch
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=120)
    assert not (tmp_path / "killed/projections.csv").exists()
    begun = {path: path.stat().st_mtime_ns for path in records.glob("[!.]*.json")}
    line = fails(*arguments, "--seed", 1, "--out", tmp_path / "killed")
    assert line.endswith("was begun with another seed: give the same options to go on, another --out, or delete it")
    assert begun == {path: path.stat().st_mtime_ns for path in records.glob("[!.]*.json")}
    (tmp_path / "killed/.00.17361640446243352001.png").write_bytes(b"cut short")  # as a killed process leaves it
    resumed = run_here("killed")
    assert resumed.code == 0, resumed
    assert "6 images projected" not in resumed.out
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "killed")


def test_a_folder_of_other_files_and_a_finished_one(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    arguments = ["project", trained_run, few, "--no-coverage", *quick, "--out"]
    assert "holds something else" in fails(*arguments, tmp_path / "mine")
    assert os.listdir(tmp_path / "mine") == ["notes.txt"]
    assert command(*arguments, tmp_path / "out").code == 0
    before = contents(tmp_path / "out")
    again = command(*arguments, tmp_path / "out")
    assert again.code == 0
    assert "projected" not in again.out
    assert contents(tmp_path / "out") == before
    other = [*arguments[:2], few / "dark", *arguments[3:]]
    assert "was begun with another images" in fails(*other, tmp_path / "out")
    # a file that has changed is done again
    Image.new("L", (16, 16), 100).save(few / "dark/01.png")
    assert command(*arguments, tmp_path / "out").code == 0
    assert (np.asarray(Image.open(tmp_path / "out/01.png"))[:, :64] == 100).all()
