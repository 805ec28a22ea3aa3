"""The folder of an assessment, in which an interrupted one goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import check_folder
from ..folders import begin_or_go_on, locked_folder

WORK = "work"  # within `out`: what an interrupted assessment goes on from
POOL, TRIALS = "synthetic", "trials"  # within that


def check_unused(out: Path) -> None:
    """Raises UserError for a folder that cannot be written, or that holds files of others."""
    if check_folder(out) and not (out / WORK).is_dir():
        raise UserError(f"`out` {out}: it exists already and holds something else, give a new folder")


@contextmanager
def work_folder(out: Path, facts: dict[str, Any]) -> Iterator[Path]:
    """The folder for what is computed, locked. A second process, or another question: UserErrors."""
    work = out / WORK
    beside = [out, work / POOL, work / TRIALS]
    with locked_folder(work, out, "another process is working there, wait for it", beside):
        begin_or_go_on(work / "options.json", facts, out)
        yield work
