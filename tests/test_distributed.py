"""What several processes agree on, by two of them: this file, run as a script."""

import os
import subprocess
import sys

import pytest
import torch

from stylegan_ada import distributed
from stylegan_ada.errors import PeerError


def fail_on_the_second():
    if distributed.rank() == 1:
        raise ZeroDivisionError
    return "well"


def one_rank(rank, folder):
    os.environ.update(RANK=str(rank), WORLD_SIZE="2")
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    assert [distributed.any_rank(rank == chosen) for chosen in (0, 1, 2)] == [True, True, False]
    assert distributed.any_rank(True)
    assert distributed.every_rank(lambda: rank) == rank
    with pytest.raises(PeerError if rank == 0 else ZeroDivisionError):
        distributed.every_rank(fail_on_the_second)
    distributed.stop()


def test_two_processes_agree(tmp_path):
    processes = [subprocess.Popen([sys.executable, __file__, str(rank), tmp_path]) for rank in range(2)]
    assert [process.wait() for process in processes] == [0, 0]


def test_one_process_agrees_with_itself():
    assert distributed.any_rank(True)
    assert not distributed.any_rank(False)
    assert distributed.every_rank(fail_on_the_second) == "well"


if __name__ == "__main__":
    one_rank(int(sys.argv[1]), sys.argv[2])
