"""The page of a run that is being trained: a process of its own, which ends with the training."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..training.run_folder import RunFolder
from .commands import of_page_beside

IDLE = 19  # the lowest priority: what the page computes shall not slow the training


@contextmanager
def page_beside(run: Path) -> Iterator[None]:
    """Serves the page while the block runs. It computes on the CPU, in one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(of_page_beside(run), env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for_run(run: Path) -> None:
    """Of a process that a training has started: takes the lowest priority, and waits until the run's folder is there.
    Ends the process with its parent."""
    os.nice(IDLE)
    parent = os.getppid()
    while not RunFolder(run).is_run():
        if os.getppid() != parent:
            raise SystemExit(0)
        time.sleep(0.2)
