"""Work in the background, one piece after another: how far it is, what came out, and how it is stopped."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Queue
from typing import Any

from ..errors import UserError, first_line

MOST = 20  # jobs that wait
KEPT = 50  # jobs that are remembered
WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"


class Stopped(Exception):
    """The user has stopped the job."""


@dataclass(eq=False)
class Job:
    """kind, title: for the page. phase: what is being done, done of total. found: what a page shows of it so far."""

    number: int
    kind: str
    title: str
    work: "Callable[[Job], None]"
    state: str = WAITING
    phase: str = ""
    done: int = 0
    total: int = 0
    message: str = ""
    found: dict[str, Any] = field(default_factory=dict)
    stopping: bool = False

    def progress(self, done: int, total: int) -> None:
        """Notes how far it is. Stopped if the user wants that."""
        if self.stopping:
            raise Stopped
        self.done, self.total = done, total

    def begin(self, phase: str) -> None:
        self.progress(0, 0)
        self.phase = phase

    def as_json(self) -> dict[str, Any]:
        names = ("number", "kind", "title", "state", "phase", "done", "total", "message")
        return {**{name: getattr(self, name) for name in names}, **self.found}


class Jobs:
    """A thread that does one job after another."""

    def __init__(self) -> None:
        self._all: dict[int, Job] = {}
        self._count = 0
        self._queue: Queue[Job] = Queue()
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="jobs", daemon=True).start()

    def add(self, kind: str, title: str, work: Callable[[Job], None]) -> Job:
        with self._lock:
            if sum(job.state == WAITING for job in self._all.values()) >= MOST:
                raise UserError(f"{MOST} tasks wait already: stop some, or wait for them")
            self._count += 1
            job = self._all[self._count] = Job(self._count, kind, title, work)
            ended = [number for number, one in self._all.items() if one.state not in (WAITING, RUNNING)]
            for number in ended[: max(0, len(self._all) - KEPT)]:
                del self._all[number]
        self._queue.put(job)
        return job

    def get(self, number: int) -> Job:
        with self._lock:
            if number not in self._all:
                raise UserError("this task is no longer known")
            return self._all[number]

    def all(self) -> list[Job]:
        with self._lock:
            return list(self._all.values())

    def stop(self, number: int) -> Job:
        """Asks it to end, at once if it waits."""
        job = self.get(number)
        job.stopping = True
        if job.state == WAITING:
            job.state = STOPPED
        return job

    def _run(self) -> None:
        while True:
            job = self._queue.get()
            if job.stopping:
                continue
            job.state = RUNNING
            try:
                job.work(job)
                job.state = DONE
            except Stopped:
                job.state = STOPPED
            except UserError as error:
                job.state, job.message = FAILED, str(error)
            except Exception as error:  # the page says it; the server goes on
                job.state, job.message = FAILED, f"{type(error).__name__}: {first_line(error)}"
