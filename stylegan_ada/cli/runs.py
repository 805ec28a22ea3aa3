"""What the commands that train share: the lines of a run, and its end by a signal."""

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ..preparation import Preparation
from .common import open_dataset
from .config_options import with_flags

if TYPE_CHECKING:
    from ..datasets import ImageDataset
    from ..training.start import Ended


def say(line: str, err: bool = False) -> None:
    """Prints a line of the library's, from the first process only."""
    from .. import distributed

    if distributed.rank() == 0:
        click.echo(with_flags(line), err=err)


def load(source: str, preparation: Preparation, **how: Any) -> "ImageDataset":
    """`open_dataset`, of which the first process tells."""
    from .. import distributed

    return open_dataset(source, preparation, quiet=distributed.rank() > 0, **how)


def listen_for_stop() -> Callable[[], bool]:
    """Whether Ctrl-C or SIGTERM came since this was called; a second one ends the process at once."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL)
        # not print: the signal may have come in the middle of one
        os.write(2, b"stopping after this step, with a checkpoint (again to stop at once)\n")

    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGTERM, note)
    return lambda: bool(received)


def exit_if_stopped(ended: "Ended") -> None:
    """Ends the command as Ctrl-C does, if training was asked to stop."""
    if not ended.finished:
        say(f"stopped at {ended.kimg:.1f} kimg; the same command goes on from there")
        raise click.exceptions.Exit(130)
