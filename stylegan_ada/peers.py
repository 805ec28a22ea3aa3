"""The processes that torchrun started, as they know each other: which of them is lost when the others no longer hear of
it, and who of the others says so."""

import json
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch.distributed as dist

from .errors import PeerError, PeerLost, RunFailed, UserError

ARRIVAL = timedelta(minutes=10)  # within which the last one comes after the first: they start together
NOTICE = 5.0  # seconds in which those that still run notice that another has left
AGAIN = "give the same command again, training goes on from its last checkpoint"
STATES = {"Z": "died", "X": "died", "T": "is stopped", "t": "is stopped"}  # of Linux's /proc


def here() -> str:
    """The place in which this process sees others by their ids. A name may be that of two hosts, or two containers."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux
        return socket.gethostname()


@dataclass(frozen=True)
class Process:
    """A process, as it introduced itself."""

    rank: int
    pid: int
    host: str  # its name
    place: str  # where its id counts, as by `here`

    def __str__(self) -> str:
        return f"process {self.rank} (pid {self.pid} on {self.host}) {self.trouble() or 'does not answer'}"

    def trouble(self) -> str:
        """What is wrong with it, "died" or "is stopped"; "" where nothing can be seen, as of another machine."""
        if self.place != here():
            return ""
        try:
            os.kill(self.pid, 0)
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except ProcessLookupError:
            return "died"
        except OSError:  # no /proc, or it went just now
            return ""
        return STATES.get(stat.rpartition(")")[2].split()[0], "")


class Peers:
    """What one process of a group knows of the others."""

    def __init__(self, store: dist.Store, rank: int, others: Sequence[Process]):
        """store: where they leave word for each other. torchrun keeps it, so that it outlives them."""
        self._store, self._rank, self._others = store, rank, others
        self.leaving = False  # whether this process's work in the group has ended, well or not

    @classmethod
    def meet(cls, store: dist.Store, rank: int, world_size: int) -> "Peers":
        """Waits until all have come. RuntimeError if one does not in ARRIVAL."""
        store.set(f"process {rank}", json.dumps([rank, os.getpid(), socket.gethostname(), here()]))
        for each in range(world_size):
            try:
                store.wait([f"process {each}"], ARRIVAL)
            except RuntimeError:
                raise RuntimeError(f"process {each} did not come") from None
        everyone = [Process(*json.loads(store.get(f"process {each}"))) for each in range(world_size)]
        return cls(store, rank, [process for process in everyone if process.rank != rank])

    def check(self) -> None:
        """Raises PeerLost if another process of this machine died while this one works: sooner than a meeting does."""
        if self.leaving:
            return
        dead = [process for process in self._others if process.trouble() == "died"]
        with suppress(RuntimeError):  # the store is gone
            dead = self._without_word(dead)
        if dead:
            raise PeerLost("it died")

    def are_ending(self) -> bool:
        """Whether one of them has left."""
        try:
            return any(self._store.check([f"left {process.rank}"]) for process in self._others)
        except RuntimeError:  # the store is gone
            return True

    def leave(self) -> None:
        """Gives word that this process ends for a reason of its own, which it tells: the others need not."""
        self.leaving = True
        with suppress(RuntimeError):  # the store went before
            self._store.set(f"left {self._rank}", "")
            self._store.add("told", 1)

    def explain(self, lost: PeerLost) -> UserError:
        """The error of a process that lost the others, and has closed its connections so that they notice as well. The
        first one names the process that is lost; the others say nothing, nor does any if that one has told why."""
        self.leaving = True
        absent, reason = [], str(lost)
        try:
            self._store.compare_set("reason", "", reason)  # of the first one, which the others lose by that
            reason = self._store.get("reason").decode()
            self._store.set(f"left {self._rank}", "")
            absent = self._absent()
            told = self._store.add("told", 1) > 1
        except RuntimeError:  # without torchrun the first process keeps the store, until it has told why it ends
            told = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
        if told:
            return PeerError("another process failed")
        if len(absent) > 1 and not any(process.trouble() for process in absent):  # elsewhere, or at work
            reason += f", not heard of {', '.join(str(process.rank) for process in absent)}"
            absent = []
        who = ", ".join(map(str, absent)) or f"the processes lost each other ({reason})"
        slow = "" if any(process.trouble() for process in absent) else ", with a larger `timeout` if one was only slow"
        return RunFailed(f"{who}: {AGAIN}{slow}")

    def _absent(self) -> list[Process]:
        """Those in trouble, or else those that have not noticed in NOTICE."""
        end = time.monotonic() + NOTICE
        while True:
            absent = self._without_word(self._others)
            troubled = [process for process in absent if process.trouble()]
            if troubled or not absent or time.monotonic() > end:
                return troubled or absent
            time.sleep(0.05)

    def _without_word(self, processes: Sequence[Process]) -> list[Process]:
        """Those that have not left."""
        return [process for process in processes if not self._store.check([f"left {process.rank}"])]
