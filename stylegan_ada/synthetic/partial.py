"""The folder beside --out in which a set grows. It outlives a killed process, which goes on from there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import cannot_write
from ..folders import begin_or_go_on, locked_folder

OPTIONS_FILE = "options.json"


class PartialSet:
    """The unfinished set `out`: the folder .NAME.partial beside it."""

    def __init__(self, out: Path):
        self.out = out
        self.path = out.absolute().with_name(f".{out.absolute().name}.partial")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and holds its lock. A second process there is a UserError."""
        with locked_folder(self.path, self.out, "another process is writing that set, wait for it"):
            (self.path / "blocks").mkdir(exist_ok=True)
            yield

    def begin(self, options: dict[str, Any]) -> None:
        """Notes what the set is made of. What was begun with something else is a UserError and stays as it is."""
        begin_or_go_on(self.path / OPTIONS_FILE, options, self.out)

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
            message = f"cannot write {self.out} ({reason}): make room, and the same command goes on"
            raise cannot_write(error, message) from None
        shutil.rmtree(self.path, ignore_errors=True)
