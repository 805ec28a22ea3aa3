"""Processes of torchrun that die or hang."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch.distributed as dist

from stylegan_ada.cli.runs import STOPPING, end_with, listen_for_stop
from stylegan_ada.errors import PeerLost
from stylegan_ada.peers import Peers, Process, here
from stylegan_ada.training import RunFolder


def workers(port: int) -> dict[int, int]:
    """The ids of the processes of the torchrun at this port, by rank."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            words = dict(word.split("=", 1) for word in path.read_text(errors="replace").split("\0") if "=" in word)
        except OSError:  # it ended just now
            continue
        if words.get("MASTER_PORT") == str(port):
            found[int(words["RANK"])] = int(path.parent.name)
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def two(
    start: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str], root: Path
) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    """Starts a run of two processes. Returns torchrun, and its port, once there is a checkpoint."""
    ports = []

    def run(*options: str, torchrun: tuple[str, ...] = ()) -> tuple[subprocess.Popen[str], int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        ports.append(port)
        launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", 2, "--master-port", port]
        train = [root / "train.py", "--data", image_folder, "--out", tmp_path / "run", "--snapshot-kimg", "0.04"]
        process = start(*launcher, *torchrun, *train, *small, *options)
        while not RunFolder(tmp_path / "run").checkpoints():
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        return process, port

    yield run
    for pid in (pid for port in ports for pid in workers(port).values()):  # of a test that failed
        os.kill(pid, signal.SIGKILL)


def ours(stderr: str) -> list[str]:
    """The lines of errors that are not torchrun's, which has a traceback of its own."""
    assert "stylegan_ada/" not in stderr
    return [line for line in stderr.splitlines() if line.startswith("stylegan-ada: ")]


def test_a_killed_process_is_named_and_torchrun_begins_again(two: Callable[..., Any], tmp_path: Path) -> None:
    process, port = two("--kimg", "0.2", torchrun=("--max-restarts", "1"))
    first = workers(port)
    os.kill(first[0], signal.SIGKILL)
    killed = time.monotonic()
    while any(is_running(pid) for pid in first.values()):
        assert time.monotonic() - killed < 30
        time.sleep(0.05)
    out, err = process.communicate(timeout=60)
    (line,) = ours(err)
    assert re.search(rf"error: process 0 \(pid {first[0]} on \S+\) died: give the same command again", line)
    assert "stopping after this step" not in err
    assert process.returncode == 0, err
    assert out.count("resuming") == 1
    assert out.count("finished at 0.2 kimg") == 1
    assert RunFolder(tmp_path / "run").checkpoints()[-1].name == "checkpoint-0000000200.pt"


def test_a_stopped_process_is_named_after_the_timeout(two: Callable[..., Any]) -> None:
    process, port = two("--kimg", "100", "--timeout", "0.1")
    first = workers(port)
    os.kill(first[1], signal.SIGSTOP)
    stopped = time.monotonic()
    while is_running(first[0]):
        assert time.monotonic() - stopped < 30
        time.sleep(0.05)
    assert time.monotonic() - stopped > 5
    os.kill(first[1], signal.SIGKILL)  # torchrun does so after another 30 seconds
    err = process.communicate(timeout=60)[1]
    (line,) = ours(err)
    assert f"process 1 (pid {first[1]} on {socket.gethostname()}) is stopped: " in line
    assert process.returncode == 1
    assert "exitcode  : 1 " in err


@pytest.mark.parametrize("listen", [end_with, listen_for_stop])
def test_torchrun_s_sigterm_is_no_wish_to_stop(listen: Callable[[Peers], Any], capfd: pytest.CaptureFixture) -> None:
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    peers = Peers(dist.HashStore(), 0, [Process(1, dead.pid, "host", here())])
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    try:
        should_stop = listen(peers)
        with pytest.raises(PeerLost):
            signal.raise_signal(signal.SIGTERM)
        peers.leaving = True  # as the error's way ends
        signal.raise_signal(signal.SIGTERM)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert should_stop is None or not should_stop()
    assert capfd.readouterr().err == ""
