"""What several processes agree on, by two of them: this file, run as a script."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada import distributed
from stylegan_ada.errors import PeerError


def fail_on_the_second() -> str:
    if distributed.rank() == 1:
        raise ZeroDivisionError
    return "well"


def one_rank(rank: Any, folder: Any) -> None:
    os.environ.update(RANK=str(rank), WORLD_SIZE="2")
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    assert [distributed.any_rank(rank == chosen) for chosen in (0, 1, 2)] == [True, True, False]
    assert distributed.any_rank(True)
    assert distributed.every_rank(lambda: rank) == rank
    with pytest.raises(PeerError if rank == 0 else ZeroDivisionError):
        distributed.every_rank(fail_on_the_second)
    torch.distributed.destroy_process_group()


def leave(rank: Any, folder: Any, how: Any) -> None:
    """The first process ends its work late, or fails at it; what the second one meets, and when, goes into a file."""
    os.environ.update(
        RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=(folder / "port").read_text()
    )
    seen = ""
    try:
        with distributed.group(torch.device("cpu")):
            if rank == 0:
                time.sleep(0.5)
                assert how == "well"
                (folder / "done").write_text("")
    except PeerError as error:
        seen = str(error)
    except AssertionError:
        return
    if rank == 1:
        (folder / "seen").write_text(seen or f"done: {(folder / 'done').exists()}")


@pytest.mark.parametrize(("how", "seen"), [("well", "done: True"), ("fails", "another process failed")])
def test_processes_leave_together(how: str, seen: str, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        (tmp_path / "port").write_text(str(probe.getsockname()[1]))
    processes = [subprocess.Popen([sys.executable, __file__, str(rank), tmp_path, how]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert (tmp_path / "seen").read_text() == seen


def begin_again(rank: Any, port: Any) -> None:
    """What torchrun starts anew; the second process is late, so that the first meets what the one before left."""
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    time.sleep(rank)
    with distributed.group(torch.device("cpu")) as peers:
        assert distributed.any_rank(rank == 1)
        peers.check()


def test_processes_begin_again_with_the_store_of_those_before() -> None:
    """As torchrun's static rendezvous has one for all."""
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    for attempt in range(2):
        environment = {
            **os.environ,
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "TORCHELASTIC_RESTART_COUNT": str(attempt),
        }
        line = [sys.executable, __file__, "again"]
        processes = [subprocess.Popen([*line, str(rank), str(store.port)], env=environment) for rank in range(2)]
        assert [process.wait(timeout=120) for process in processes] == [0, 0]


def test_two_processes_agree(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, __file__, str(rank), tmp_path]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]


def test_one_process_agrees_with_itself() -> None:
    assert distributed.any_rank(True)
    assert not distributed.any_rank(False)
    assert distributed.every_rank(fail_on_the_second) == "well"


if __name__ == "__main__":
    if sys.argv[1] == "again":
        begin_again(int(sys.argv[2]), int(sys.argv[3]))
    elif len(sys.argv) == 3:
        one_rank(int(sys.argv[1]), sys.argv[2])
    else:
        leave(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
