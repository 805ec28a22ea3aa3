"""The parts that several commands share: options, opening data, progress bars, new files and folders."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.preparation import Preparation
from ..config.settings import Range
from ..devices import DEVICES
from ..errors import UserError, cannot_write, nearest, shown
from ..files import check_file, user_path

if TYPE_CHECKING:
    from ..datasets import ImageDataset


class Choice(click.Choice[str]):
    """A choice that offers the nearest one for a misspelt one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            option = param.opts[0] if param else "option"
            raise UserError(f"{option} {value}: no such choice, {nearest(str(value), self.choices)}")
        return super().convert(value, param, ctx)


class Number(click.ParamType):  # type: ignore[type-arg]  # it takes one in new versions of click only
    """A number of a kind, int or float, and of a range where one is given."""

    def __init__(self, kind: type, within: Range | None = None):
        self.kind, self.within, self.name = kind, within, "integer" if kind is int else "number"
        self.words = within.words if within else "a whole number" if kind is int else "a number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            number = self.kind(value)
            fits = self.within is None or number in self.within
        except ValueError:
            fits = False
        if not fits:
            raise click.UsageError(f"{param.opts[0] if param else 'option'} {value}: give {self.words}")
        return number


class UserPath(click.Path):
    """A path in which ~ and ~user are home folders: a shell expands them in `--out ~/run`, not in `--out=~/run`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(user_path(value), param, ctx)


PATH = UserPath(path_type=Path)
RUN = click.argument("run", type=PATH)
DEVICE = click.option(
    "--device", type=Choice(DEVICES), default="auto", help="What to compute on. Default: auto, a GPU if there is one."
)
PRECISION = click.option(
    "--precision",
    type=Choice(("fp32", "bf16")),
    default="fp32",
    show_default=True,
    help="bf16 is faster where the machine computes in it; gray levels then differ by one or two.",
)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, shown from the first call of what this yields: progress(done, total)."""
    bars: list[Any] = []

    def progress(done: int, total: int) -> None:
        if not bars:
            bars.append(click.progressbar(length=total, label=label, file=sys.stderr).__enter__())
        bars[0].update(done - bars[0].pos)

    try:
        yield progress
    finally:
        for bar in bars:
            bar.__exit__(None, None, None)


def open_dataset(
    source: str,
    preparation: Preparation,
    *,
    check_shape: Callable[[int, int], object] | None = None,
) -> "ImageDataset":
    """The packed data set. The first process shows how far packing is and names files that could not be read."""
    from .. import distributed
    from ..datasets import load_dataset, sample_licence

    quiet = distributed.rank() > 0
    with progress_bar("packing images") as progress:
        told = None if quiet else progress
        dataset = load_dataset(source, preparation, check_shape=check_shape, progress=told)
    licence = sample_licence(source)
    if licence and not quiet:
        click.echo(licence, err=True)
    if dataset.skipped and not quiet:
        click.echo(f"warning: {len(dataset.skipped)} files could not be used and are left out:", err=True)
        for name, reason in dataset.skipped:
            click.echo(f"  {shown(name)}: {reason}", err=True)
    return dataset


def check_new_file(path: Path, name: str = "out") -> None:
    """The file that the option `name` gives must not exist, in a folder that does and can be written."""
    if os.path.exists(path):
        raise UserError(f"`{name}` {path}: it exists already, give a new file")
    check_file(path, name)


def check_picture(path: Path, name: str = "out") -> None:
    """The picture that the option `name` gives must be of a known kind, in a folder that can be written."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UserError(f"`{name}` {path}: give a file that ends in .png, .jpg or .webp")
    check_file(path, name)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that becomes it when the block ends well, and is deleted otherwise."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            path.rmdir()  # empty, as checked
        temporary.rename(path)
    except OSError as error:
        raise cannot_write(error, f"cannot write {path}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
