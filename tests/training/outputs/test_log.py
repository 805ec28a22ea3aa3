"""The log of a run on a disk that gets full."""

import json
import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from stylegan_ada.errors import RunFailed
from stylegan_ada.training import RunFolder
from stylegan_ada.training.outputs.log import Log

ROW = {"images": 8, "kimg": 0.008, "p": 0.0}


@pytest.fixture
def limit_files() -> Iterator[Callable[[int], None]]:
    """limit_files(size): files of this process may not grow beyond so many bytes, as on a disk that gets full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kind", ["row", "measurement", "picture"])
def test_what_tensorboard_has_no_room_for_is_an_error_without_a_traceback(
    kind: str, tmp_path: Path, limit_files: Callable[[int], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its thread writes, and dies of that: the next call tells."""
    before = threading.excepthook
    log = Log(RunFolder(tmp_path), 0)
    write = {
        "row": lambda: log.write({**ROW, **{f"loss_{number}": 1.0 for number in range(30)}}),
        "measurement": lambda: log.measurement({**ROW, "findings": ["flat"], "kid": 1.0}),
        "picture": lambda: log.picture(np.zeros((64, 64, 3), np.uint8), 8),
    }[kind]

    def write_much() -> None:
        for _ in range(50):
            write()

    limit_files(3000)
    with pytest.raises(RunFailed, match=r"cannot write .*log\.jsonl \(File too large\): make room"):
        write_much()
    log.close()
    assert threading.excepthook is before
    assert capfd.readouterr().err == ""


def test_rows_that_were_written_are_whole(tmp_path: Path, limit_files: Callable[[int], None]) -> None:
    log = Log(RunFolder(tmp_path), 0)

    def write_much() -> None:
        for _ in range(100):
            log.write(ROW)

    limit_files(1000)
    with pytest.raises(RunFailed):
        write_much()
    log.close()
    lines = (tmp_path / "log.jsonl").read_bytes().splitlines(keepends=True)
    assert lines
    assert all(json.loads(line) == ROW and line.endswith(b"\n") for line in lines)
