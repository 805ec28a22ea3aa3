"""The folder beside --out in which a set grows. It outlives a killed process, which goes on from there."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import cannot_write
from ..folders import begin_or_go_on, is_locked, locked_folder

OPTIONS_FILE = "options.json"


class PartialSet:
    """The unfinished set `out`: the folder .NAME.partial beside it."""

    def __init__(self, out: Path):
        self.out = out
        self.path = out.absolute().with_name(f".{out.absolute().name}.partial")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and holds its lock. A second process there is a UserError."""
        blocks = self.path / "blocks"
        with locked_folder(self.path, self.out, "another process is writing that set, wait for it", [blocks]):
            blocks.mkdir(exist_ok=True)
            yield

    def delete_if_finished(self) -> None:
        """Deletes what a process left that was killed when `out` was whole already: its options are in dataset.json."""
        made, begun = (_read(path) for path in (self.out / "dataset.json", self.path / OPTIONS_FILE))
        if made and begun.items() <= made.items() and not is_locked(self.path):
            shutil.rmtree(self.path, ignore_errors=True)

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


def _read(path: Path) -> dict[str, Any]:
    """{} if there is no such file, or something else in it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
