"""`stylegan-ada explore` as a process, and beside a run that is trained."""

import functools
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stylegan_ada.training import RunFolder

LINE = (sys.executable, "-m", "stylegan_ada")


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., Any]]:
    """start(*arguments): a process, which is killed at the end."""
    started = []

    def run(*arguments: object) -> Any:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment.update(PYTHONUNBUFFERED="1", DISPLAY="", WAYLAND_DISPLAY="")
        # a shell that starts tests in the background lets all that follows ignore Ctrl-C
        heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        line = [*LINE, *map(str, arguments)]
        started.append(subprocess.Popen(line, env=environment, preexec_fn=heard, **pipes))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        with process:
            process.wait(30)


def address_of(process: Any) -> str:
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+/\S+/", line):
            return found[0]
    raise AssertionError(process.communicate())


def answer(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as found:
        return found.read()


def wait_until_gone(address: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            answer(address)
        except OSError:
            return
        time.sleep(0.2)
    raise AssertionError("the page is still there")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(number: int, start: Callable[..., Any], explored_run: Path) -> None:
    process = start("explore", explored_run, "--device", "cpu")
    address = address_of(process)
    assert b"<main" in answer(address)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "the page is closed"
    with pytest.raises(OSError, match="refused"):
        answer(address)


def test_another_address_each_time(start: Callable[..., Any], explored_run: Path) -> None:
    addresses = [address_of(start("explore", explored_run, "--no-browser")) for _ in range(2)]
    tokens = {address.rstrip("/").rsplit("/", 1)[1] for address in addresses}
    assert len(tokens) == 2
    assert all(len(token) >= 32 for token in tokens)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["nowhere"], "nowhere"),
        (["RUN", "--port", "70000"], "--port 70000: give 0 to 65535"),
        (["RUN", "--port", "TAKEN"], "--port"),
        (["RUN", "--host", "192.0.2.1"], "--host 192.0.2.1"),
        (["RUN", "--prot", "1"], "--prot"),
    ],
)
def test_wrong_options_are_one_line(
    options: list[str], words: str, program: Callable[..., Any], explored_run: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        known = {"RUN": str(explored_run), "TAKEN": str(taken.getsockname()[1])}
        done = program("explore", *[known.get(option, option) for option in options])
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_run_that_is_trained_has_its_page(start: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    """From its begin to its end; the run is as it would be without it."""
    small = ["--size", 16, "--batch", 8, "--channel-base", 64, "--channel-max", 8, "--evaluate-kimg", 0]
    small += ["--tick-kimg", 0.008, "--snapshot-kimg", 0.008, "--device", "cpu", "--precision", "fp32"]
    process = start("train", "--data", image_folder, "--out", tmp_path / "run", "--kimg", 100, "--explore", *small)
    address = address_of(process)
    deadline = time.monotonic() + 60
    while b'"running"' not in (found := answer(f"{address}api/training")) or b'"log":[{' not in found:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    wait_until_gone(address)
    assert RunFolder(tmp_path / "run").checkpoints()


def test_a_page_ends_with_a_run_that_is_killed(start: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    small = ["--size", 16, "--batch", 8, "--channel-base", 64, "--channel-max", 8, "--evaluate-kimg", 0]
    process = start("train", "--data", image_folder, "--out", tmp_path / "run", "--kimg", 100, "--explore", *small)
    address = address_of(process)
    process.kill()
    wait_until_gone(address)
