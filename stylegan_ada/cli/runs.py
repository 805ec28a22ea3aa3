"""The end of a run by a signal, for the commands that train."""

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from .messages import say

if TYPE_CHECKING:
    from ..peers import Peers
    from ..training.start import Ended

AT_ONCE = (signal.SIGINT, signal.SIGTERM)
# a lost connection (which the kernel and the shell may both tell of), and what Slurm's --signal is usually set to
STOPPING = (*AT_ONCE, signal.SIGHUP, signal.SIGUSR1)


def end_with(peers: "Peers") -> None:
    """Lets SIGTERM raise PeerLost where another process has died: torchrun sends it then. Else it ends the process at
    once, as before."""

    def note(number: int, _frame: object) -> None:
        peers.check()
        if not peers.leaving:
            peers.leave()  # nobody has to wonder why
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, note)


def listen_for_stop(peers: "Peers") -> Callable[[], bool]:
    """Whether one of STOPPING came since this was called; a second one of AT_ONCE ends the process at once. What is
    ignored, as SIGHUP is under nohup, stays so. Where another process has died there is no stopping well: PeerLost."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        peers.check()
        if peers.leaving or peers.are_ending():
            return
        received.append(number)
        signal.signal(number, signal.SIG_DFL if number in AT_ONCE else signal.SIG_IGN)
        _tell(b"stopping after this step, with a checkpoint (Ctrl-C or SIGTERM again to stop at once)\n")

    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, note)
    return lambda: bool(received)


def _tell(line: bytes) -> None:
    """Writes to stderr, but not by print, since a signal may have come in the middle of one."""
    try:
        os.write(2, line)
    except OSError:  # the terminal is gone: without this the next line of progress would end the run
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2) if os.path.sameopenfile(1, 2) else (2,):
            os.dup2(nowhere, stream)
        os.close(nowhere)


def exit_if_stopped(ended: "Ended") -> None:
    """Ends the command as Ctrl-C does, if training was asked to stop."""
    if not ended.finished:
        say(f"stopped at {ended.kimg:.1f} kimg; the same command goes on from there")
        raise click.exceptions.Exit(130)
