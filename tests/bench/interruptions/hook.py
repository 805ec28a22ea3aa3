"""An audit hook in the process of a command: it sees each file that is written, renamed or deleted, and strikes there.

What torch writes by C++ is no audit event of Python's: `audit_torch` makes it one.
"""

import errno
import fcntl
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

SLOW = 0.1  # seconds
TEMPORARY = re.compile(r"\.(.+)\.\d+(\.\w+)?")  # as atomic_path names them


@dataclass(frozen=True)
class Event:
    """kind: "append", "open" (for writing anew), "rename", "remove". path: the file or folder that is written, moved or
    deleted. name: the kind of file that it is to be, without numbers and keys."""

    kind: str
    path: Path
    name: str


@dataclass(frozen=True)
class Strike:
    """Calls `act` at the event of this kind and name that is the `at`-th of its process, and at all later ones of them,
    too, if `again`. otherwise: called at the events of other files."""

    kind: str
    name: str
    act: Callable[[Event], None]
    at: int = 1
    again: bool = False
    otherwise: Callable[[Event], None] | None = None


def name_of(path: Path) -> str:
    """`checkpoint-#.pt` of .checkpoint-0000000008.4711.pt, `features/KEY.npy` of a file in the cache, for instance."""
    name = path.name
    if found := TEMPORARY.fullmatch(name):
        name = found[1] + (found[2] or "")
    kind = re.sub(r"\d+", "#", re.sub(r"[0-9a-f]{32}", "KEY", name))
    return f"{path.parent.name}/{kind}" if "KEY" in kind else kind


def kill(event: Event) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def cut_and_kill(event: Event) -> None:
    """Ends the process in the middle of the bytes: half of a file that was about to get its name, or half a row."""
    if event.kind == "append":
        with open(event.path, "ab") as file:
            file.write(b'{"images": 4')
    elif event.path.is_file():
        os.truncate(event.path, event.path.stat().st_size // 2)
    kill(event)


@dataclass(frozen=True)
class Fail:
    """An error of the system, such as errno.EROFS."""

    number: int

    def __call__(self, event: Event) -> None:
        raise OSError(self.number, os.strerror(self.number))


@dataclass(frozen=True)
class Fill:
    """Fills the file system of `ballast`, a file, but for `left` bytes."""

    ballast: Path
    left: int

    def __call__(self, event: Event) -> None:
        disk = os.statvfs(self.ballast.parent)
        room = disk.f_bavail * disk.f_frsize - self.left
        if room > 0:
            with open(self.ballast, "ab") as file:
                os.posix_fallocate(file.fileno(), file.tell(), room)


@dataclass(frozen=True)
class Release:
    """Makes room again."""

    ballast: Path

    def __call__(self, event: Event) -> None:
        self.ballast.unlink(missing_ok=True)


def watch(folder: Path, record: Path, strike: Strike | None) -> None:
    """From now on notes in the pipe `record` what this process does to files in `folder`, and strikes."""
    noted = os.open(record, os.O_WRONLY)
    here, count = threading.local(), 0

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if getattr(here, "busy", False) or (event := _event(name, arguments, folder)) is None:
            return
        here.busy = True
        try:
            os.write(noted, f"{event.kind} {event.name}\n".encode())
            if strike is None:
                return
            if (event.kind, event.name) == (strike.kind, strike.name):
                count += 1
                if count == strike.at or (strike.again and count > strike.at):
                    strike.act(event)
            elif strike.otherwise is not None:
                strike.otherwise(event)
        finally:
            here.busy = False

    sys.addaudithook(hook)
    audit_torch()


def _event(name: str, arguments: tuple[Any, ...], folder: Path) -> Event | None:
    if name == "open":
        path, _, flags = arguments
        if isinstance(path, int) or not flags & (os.O_WRONLY | os.O_RDWR):
            return None
        kind = "append" if flags & os.O_APPEND else "open"
        target = path
    elif name == "os.rename":
        kind, path, target = "rename", *arguments[:2]
    elif name in ("os.remove", "shutil.rmtree"):
        kind, path, target = "remove", arguments[0], arguments[0]
    else:
        return None
    path, target = Path(os.fsdecode(path)), Path(os.fsdecode(target))
    if not path.is_relative_to(folder) or (name == "open" and path.is_dir()):  # where a file without a name is tried
        return None
    if kind == "remove" and TEMPORARY.fullmatch(path.name):
        return None  # of what is left over, or missing already
    return Event(kind, path, name_of(target))


def audit_torch() -> None:
    save = torch.save

    def audited(content: Any, file: Any, *more: Any, **others: Any) -> None:
        sys.audit("open", os.fspath(file), "wb", os.O_WRONLY)
        save(content, file, *more, **others)

    torch.save = audited


def without_locks() -> None:
    """Makes this process one whose file system has no locks."""

    def flock(file: Any, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    fcntl.flock = flock


def on_a_slow_disk() -> None:
    """Makes this process wait at each file that it flushes or renames."""

    def slow(call: Callable[..., Any]) -> Callable[..., Any]:
        def waits(*arguments: Any, **named: Any) -> Any:
            time.sleep(SLOW)
            return call(*arguments, **named)

        return waits

    os.fsync, os.replace = slow(os.fsync), slow(os.replace)
