"""Runs parts as processes, each with a time limit and a process group of its own, and says how each ended."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

LOOK_EVERY = 0.05


class Part(NamedTuple):
    """command: what to run, in the current folder; limit: seconds."""

    name: str
    command: Sequence[str]
    limit: float


class Ended(NamedTuple):
    """how: "done", or in words what went wrong; seconds: how long the part ran."""

    part: str
    how: str
    seconds: float


class Running:
    """A part that has been started; its stdout and stderr go to OUT/PART.log."""

    def __init__(self, part: Part, out: Path, until: float) -> None:
        self.part = part
        self.start = time.monotonic()
        self.end = min(self.start + part.limit, until)
        with (out / f"{part.name}.log").open("w") as log:
            self.process = subprocess.Popen(
                part.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def ended(self) -> Ended | None:
        """How the part ended, None while it runs within its time."""
        status, seconds = self.process.poll(), time.monotonic() - self.start
        if status is None and time.monotonic() < self.end:
            return None
        if status is None:
            whole = self.end < self.start + self.part.limit
            how = f"cut after {seconds:.0f} s by the {'time for all parts' if whole else 'limit of this part'}"
        elif status < 0:
            how = f"crashed by {signal.Signals(-status).name}"
        else:
            how = "done" if status == 0 else f"ended with {status}"
        self.kill()
        return Ended(self.part.name, how, seconds)

    def kill(self) -> None:
        """Ends the part's whole process group, of which some may be left even if the part itself has ended."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self.process.wait()


def run_together(parts: Sequence[Part], out: Path, until: float) -> Iterable[Ended]:
    """Runs parts beside each other, up to time.monotonic() == until. Yields how each ended, as it does."""
    if time.monotonic() >= until:
        yield from (Ended(part.name, "not started: the time for all parts was over", 0) for part in parts)
        return
    running: list[Running] = []
    try:
        running += (Running(part, out, until) for part in parts)
        while running:
            time.sleep(LOOK_EVERY)
            for one in list(running):
                if ended := one.ended():
                    running.remove(one)
                    yield ended
    finally:
        for one in running:
            one.kill()
