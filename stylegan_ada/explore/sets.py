"""A set of generated images that a page has asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..progress import Progress
from ..synthetic.dataset import make_dataset
from .commands import of_set
from .jobs import Job


def new_place(folder: Path) -> Path:
    """The first of set-0001, set-0002, ... in `folder` that is not there, nor being made."""
    number = 1
    while (folder / f"set-{number:04d}").exists() or (folder / f".set-{number:04d}.partial").exists():
        number += 1
    return folder / f"set-{number:04d}"


def make_set(job: Job, run: Path, out: Path, per_class: int | None, count: int | None, psi: float, device: str) -> None:
    lines: list[str] = []
    job.found |= {"lines": lines, "place": str(out), "command": of_set(run, per_class, count, psi)}

    @contextmanager
    def bar(name: str) -> Iterator[Progress]:
        job.begin(name)
        yield job.progress

    out.parent.mkdir(parents=True, exist_ok=True)
    make_dataset(run, out, per_class=per_class, count=count, psi=psi, device=device, say=lines.append, progress=bar)
