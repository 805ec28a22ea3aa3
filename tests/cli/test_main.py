import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest


def test_help_is_quick_and_names_every_command(environment: dict[str, str]) -> None:
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "stylegan_ada", "--help"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 2
    for command in ("data", "train", "generate", "evaluate", "info"):
        assert command in done.stdout


def test_misspelt_command(fails: Callable[..., Any]) -> None:
    assert "did you mean 'train'?" in fails("trian")


def test_misspelt_option(fails: Callable[..., Any]) -> None:
    message = fails("train", "--data", "x", "--out", "y", "--holdut", "0.1")
    assert "--holdout" in message


def test_missing_option(fails: Callable[..., Any]) -> None:
    assert "--data" in fails("train", "--out", "y")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "MemoryError"), (MemoryError("Unable to allocate 9 GiB"), "Unable to allocate 9")],
)
def test_no_memory_is_one_line(
    error: MemoryError, reason: str, fails: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("stylegan_ada.cli.program.main", raises)
    assert f"out of memory ({reason}" in fails("info", code=1)


def test_an_output_on_a_full_disk_is_one_line(environment: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stylegan_ada", "info"],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "stylegan-ada: error: what is printed: No space left on device, make room and give the same command again\n"
    )


def test_info(command: Callable[..., Any]) -> None:
    result = command("info")
    assert result.code == 0
    for word in ("torch", "device", "cuda-core", "reference", "image cache", "Winograd"):
        assert word in result.out


def test_info_without_winograd(command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEGAN_ADA_OPS", "reference")
    assert "Winograd" not in command("info").out


def test_every_command_has_help(command: Callable[..., Any]) -> None:
    for arguments in (
        ["data"],
        ["data", "sample"],
        ["data", "inspect"],
        ["data", "prepare"],
        ["train"],
        ["generate", "images"],
        ["evaluate"],
    ):
        result = command(*arguments, "--help")
        assert result.code == 0
        assert "Usage" in result.out
