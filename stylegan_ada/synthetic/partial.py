"""The folder beside --out in which a set grows. It outlives a killed process, which goes on from there."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import write_text

OPTIONS_FILE = "options.json"


class PartialSet:
    """Of the set `out`: the folder .NAME.partial beside it."""

    def __init__(self, out: Path):
        self.out = out
        self.path = out.absolute().with_name(f".{out.absolute().name}.partial")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and holds its lock. A second process there is a UserError."""
        try:
            (self.path / "blocks").mkdir(parents=True, exist_ok=True)
            lock_file = open(self.path / ".lock", "w")  # noqa: SIM115 - closed below, after the flock that may fail
        except OSError as error:
            raise UserError(f"--out {self.out}: cannot write there ({error.strerror})") from None
        with lock_file:
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UserError(f"--out {self.out}: another process is writing that set, wait for it") from None
            yield

    def begin(self, options: dict[str, Any]) -> None:
        """Notes what the set is made of. What was begun with something else is a UserError and stays as it is."""
        path = self.path / OPTIONS_FILE
        options = json.loads(json.dumps(options))
        if not path.exists():
            write_text(path, json.dumps(options, indent=1) + "\n")
            return
        begun = json.loads(path.read_text(encoding="utf-8"))
        others = sorted(name for name in begun | options if begun.get(name) != options.get(name))
        if others:
            raise UserError(
                f"--out {self.out}: {self.path} holds a set begun with another {', '.join(others)}: "
                "give the same options to go on, another --out, or delete it"
            )

    def block(self, label: int, block: int) -> Path:
        return self.path / "blocks" / f"class{label:04d}-block{block:08d}.npz"

    @contextmanager
    def finished(self) -> Iterator[Path]:
        """A new folder that becomes `out` when the block ends well; the blocks are then deleted."""
        folder = self.path / "set"
        try:
            shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed here
            folder.mkdir()
            yield folder
            if self.out.exists():
                self.out.rmdir()  # empty, as checked
            folder.rename(self.out)
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"cannot write {self.out} ({reason}): make room, and the same command goes on") from None
        shutil.rmtree(self.path, ignore_errors=True)
