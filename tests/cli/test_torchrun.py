"""`train` in several processes of torchrun."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada.training import RunFolder


@pytest.fixture
def torchrun(environment: dict[str, str], root: Path) -> Callable[..., Any]:
    """torchrun(processes, *arguments of train.py): the process when it has ended."""

    def run(processes: int, *arguments: object) -> Any:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", processes, "--master-port", port]
        words = map(str, [*launcher, root / "train.py", *arguments])
        return subprocess.run(list(words), env=environment, capture_output=True, text=True, check=False, timeout=300)

    return run


def assert_same_training(one: Path, other: Path, images: int) -> None:
    """The checkpoints of two runs at so many images have the same p, and generators alike."""
    files = (RunFolder(path).checkpoint_file(images) for path in (one, other))
    expected, found = (torch.load(path, weights_only=True) for path in files)
    assert expected["controller"]["p"] == found["controller"]["p"]
    for name, tensor in expected["generator_ema"].items():
        torch.testing.assert_close(found["generator_ema"][name], tensor, rtol=1e-3, atol=1e-4)


def test_two_processes_train_as_one(
    command: Callable[..., Any], torchrun: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    arguments = ["--data", image_folder, "--mirror", "h", "--ada-kimg", "0.1", *small, "--kimg", "0.032"]
    one = command("train", *arguments, "--out", tmp_path / "one")
    assert one.code == 0, one
    done = torchrun(2, *arguments, "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("finished at") == 1  # one process speaks
    assert_same_training(tmp_path / "one", tmp_path / "two", 32)


def test_a_run_goes_on_with_another_number_of_processes(
    command: Callable[..., Any], torchrun: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    """Three processes begin and one goes on, as if one had done it all."""
    arguments = ["--data", image_folder, "--mirror", "h", "--ada-kimg", "0.1", *small, "--batch", "12"]
    done = torchrun(3, *arguments, "--out", tmp_path / "three", "--kimg", "0.024")
    assert done.returncode == 0, done.stderr
    assert "minibatch statistics" not in done.stdout
    for name in ("one", "three"):
        result = command("train", *arguments, "--out", tmp_path / name, "--kimg", "0.048")
        assert result.code == 0, result
        assert ("resuming" in result.out) == (name == "three")
    assert_same_training(tmp_path / "one", tmp_path / "three", 48)


def test_an_error_of_the_first_process_is_told_once(torchrun: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    done = torchrun(2, "--data", tmp_path / "images", "--out", tmp_path / "run", "--kimg", "1")
    assert done.returncode != 0
    assert done.stderr.count("stylegan-ada: error:") == 1
    assert "stylegan_ada/" not in done.stderr.replace(str(tmp_path), "")  # no traceback of ours
