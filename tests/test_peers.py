"""Which process is lost, and who says so: with processes that only sleep."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
import torch.distributed as dist

from stylegan_ada.errors import PeerError, PeerLost, RunFailed
from stylegan_ada.peers import Peers, Process, here

HOST = socket.gethostname()
LOST = PeerLost("Connection closed by peer")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_what_is_wrong_with_a_process(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process(1, sleeper.pid, HOST, here())
    assert process.trouble() == ""
    assert str(process) == f"process 1 (pid {sleeper.pid} on {HOST}) does not answer"
    sleeper.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)
    assert process.trouble() == "is stopped"
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert process.trouble() == "died"  # its parent has not asked yet
    sleeper.wait()
    assert process.trouble() == "died"
    assert Process(1, sleeper.pid, HOST, "elsewhere").trouble() == ""


@pytest.fixture
def three(sleeper: subprocess.Popen[bytes]) -> Callable[[dist.Store], list[Peers]]:
    """What the first two of three processes know of each other and of a third one, which sleeps."""
    everyone = [
        Process(0, os.getpid(), HOST, here()),
        Process(1, os.getpid(), HOST, here()),
        Process(2, sleeper.pid, HOST, here()),
    ]
    return lambda store: [Peers(store, rank, [p for p in everyone if p.rank != rank]) for rank in (0, 1)]


def test_one_names_the_dead_and_the_others_say_nothing(
    three: Callable[[dist.Store], list[Peers]], sleeper: subprocess.Popen[bytes]
) -> None:
    first, second = three(dist.HashStore())
    first.check()
    sleeper.kill()
    sleeper.wait()
    with pytest.raises(PeerLost):
        first.check()
    error = second.explain(LOST)
    assert type(error) is RunFailed
    assert str(error).startswith(f"process 2 (pid {sleeper.pid} on {HOST}) died: give the same command again")
    assert type(first.explain(LOST)) is PeerError
    first.check()  # no second error while the first one is told


def test_who_has_told_why_is_not_lost(
    three: Callable[[dist.Store], list[Peers]], sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylegan_ada.peers.NOTICE", 0.1)
    store = dist.HashStore()
    first, second = three(store)
    Peers(store, 2, []).leave()
    sleeper.kill()
    sleeper.wait()
    first.check()
    assert {type(peers.explain(LOST)) for peers in (first, second)} == {PeerError}


def test_one_that_runs_and_does_not_notice_is_named(
    three: Callable[[dist.Store], list[Peers]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = three(dist.HashStore())
    monkeypatch.setattr("stylegan_ada.peers.NOTICE", 0.5)
    errors = []
    other = threading.Timer(0.1, lambda: errors.append(second.explain(LOST)))
    other.start()
    errors.append(first.explain(LOST))
    other.join()
    (told,) = (error for error in errors if not isinstance(error, PeerError))
    assert str(told).startswith("process 2 (pid ")
    assert "does not answer" in str(told)


def test_all_that_notice_have_lost_each_other(three: Callable[[dist.Store], list[Peers]]) -> None:
    store = dist.HashStore()
    first, _ = three(store)
    store.set("reason", "Timed out waiting")
    for rank in (1, 2):
        store.set(f"left {rank}", "")  # as they do who come a moment later
    assert str(first.explain(LOST)).startswith("the processes lost each other (Timed out waiting): ")
