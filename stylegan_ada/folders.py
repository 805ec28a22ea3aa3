"""Folders that a process fills and, if it is stopped, a later one goes on with; locks on files."""

import errno
import fcntl
import functools
import json
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .errors import UserError, cannot_write
from .files import TEMPORARY, names_in, write_text

LOCK_FILE = ".lock"
LEFT_BEHIND = 600  # seconds without a write: who writes is far from that between making a file and locking it
HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)  # NFS makes record locks of them, which may answer EACCES


@contextmanager
def locked_folder(folder: Path, out: Path, busy: str, beside: Sequence[Path] = ()) -> Iterator[None]:
    """Makes `folder` and holds the lock in it. UserErrors name `out`, what the user has asked for; that for a second
    process says `busy`. beside: further folders of the same work. What `atomic_path` left in all
    these in a process that was killed is deleted."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock_file = open(folder / LOCK_FILE, "w")  # noqa: SIM115 - closed below, after the flock that may fail
    except OSError as error:
        raise cannot_write(error, f"`out` {out}: cannot write there ({error.strerror})") from None
    with lock_file:
        try:
            if lock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB):
                _delete_temporaries((folder, *beside))
            else:
                _warn_that_it_has_none(folder)
        except BlockingIOError:
            raise UserError(f"`out` {out}: {busy}") from None
        try:
            yield
        except UserError:
            others = [names_in(one) - {folder.name} for one in beside]
            if names_in(folder) == {LOCK_FILE} and not any(others):  # nothing was written: nothing is left
                (folder / LOCK_FILE).unlink()
                folder.rmdir()
            raise


def _delete_temporaries(folders: Sequence[Path]) -> None:
    for folder in folders:
        for path in folder.glob(".*"):
            if TEMPORARY.fullmatch(path.name):
                with suppress(OSError):  # it does no harm
                    path.unlink()


def delete_left_behind(folder: Path, names: re.Pattern[str] = TEMPORARY) -> None:
    """Deletes what killed processes have left in a folder to which several may write: files of these names that no
    process holds, and that have not been written for a while. Where the file system has no locks nothing is deleted,
    since a process may be alive and slow. OSError if the folder cannot be read."""
    for path in folder.iterdir():
        if names.fullmatch(path.name):
            with suppress(OSError), path.open("r+b") as file:  # gone meanwhile, held, or another user's
                if lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB) and time.time() - path.stat().st_mtime > LEFT_BEHIND:
                    path.unlink()


def is_locked(folder: Path) -> bool:
    """Whether a process holds the lock of `locked_folder`. Where the file system has none, a warning says so."""
    try:
        lock_file = open(folder / LOCK_FILE)  # noqa: SIM115 - closed below, after the flock that may fail
    except OSError:
        return False
    with lock_file:
        try:
            if not lock(lock_file, fcntl.LOCK_SH | fcntl.LOCK_NB):
                _warn_that_it_has_none(folder)
        except BlockingIOError:
            return True
    return False


@functools.cache
def _warn_that_it_has_none(folder: Path) -> None:
    """Once in a process."""
    warnings.warn(f"{folder}: its file system has no locks, see to it that no other process writes there", stacklevel=2)


def begin_or_go_on(path: Path, options: dict[str, Any], out: Path) -> None:
    """Notes in a JSON file what is made, and how. Where something else is noted there already, that is a UserError that
    names `out`, and all stays as it is."""
    options = json.loads(json.dumps(options))
    if not path.exists():
        write_text(path, json.dumps(options, indent=1) + "\n")
        return
    begun = json.loads(path.read_text(encoding="utf-8"))
    others = sorted(name for name in begun | options if begun.get(name) != options.get(name))
    if others:
        raise UserError(
            f"`out` {out}: {path.parent} was begun with another {', '.join(others)}: "
            "give the same options to go on, another `out`, or delete it"
        )


def lock(file: IO[Any], operation: int) -> bool:
    """Takes a lock (`operation`: as for fcntl.flock). False where there are none: Lustre, NFS and others may be mounted
    without. BlockingIOError if another process holds it.

    NFS takes an exclusive lock only of a file that is open for writing.
    """
    try:
        fcntl.flock(file, operation)
    except OSError as error:
        if error.errno in HELD:
            raise BlockingIOError(error.errno, error.strerror) from None
        return False
    return True
