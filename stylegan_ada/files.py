"""The places of files, and writing them whole or not at all."""

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import UserError, cannot_write

TEMPORARY = re.compile(r"\..+\.\d{15,20}(\.\w+)?")  # a name that `atomic_path` gives


def cache_root() -> Path:
    """The folder of all that can be computed again: STYLEGAN_ADA_CACHE, or stylegan-ada in XDG_CACHE_HOME or
    ~/.cache. As the XDG base directory specification has it, an XDG_CACHE_HOME that is empty or relative counts for
    nothing. UserError where there is no home folder either."""
    named = os.environ.get("STYLEGAN_ADA_CACHE")
    if named:
        return user_path(named)
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not caches.is_absolute():
        caches = Path(os.path.expanduser("~/.cache"))
    if not caches.is_absolute():  # a user without a home folder, as in containers
        raise UserError("there is no home folder to keep computed files in: set STYLEGAN_ADA_CACHE to a folder")
    return caches / "stylegan-ada"


def user_path(path: str | Path) -> Path:
    """The path that a user has written, in which ~ and ~user are home folders. A Path stays as it is: "./~" is one way
    to name a folder that is called ~."""
    return Path(os.path.expanduser(path)) if isinstance(path, str) else path


@contextmanager
def atomic_path(path: Path, remedy: str = "make room, or choose another place") -> Iterator[Path]:
    """A temporary path beside `path` (with its suffix), flushed and renamed to `path` when the block ends well.

    Where the block fails nothing is left behind and an older `path` stays as it was. A full disk or a folder that
    cannot be written is a UserError, which ends with `remedy`. Processes and threads may write the same path at a time.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.randbits(64)}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(error, f"cannot write {path} ({error.strerror or error}): {remedy}") from error
    finally:
        with suppress(OSError):  # where it could not be made, `cannot_write` says why
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_file(path: Path, name: str = "out") -> None:
    """Raises UserError, naming the parameter `name`, if a file cannot be written, before the work for it."""
    check_place(path, path.parent, name)
    if path.is_dir():
        raise UserError(f"`{name}` {path}: that is a folder, give a file")
    if not path.parent.is_dir():
        raise UserError(f"`{name}` {path}: there is no folder {path.parent}, make it or choose another")


def check_folder(path: Path) -> set[str]:
    """The names in the folder `path`, none if it is to be made. UserError where files in it could not be written."""
    if os.path.exists(path) and not path.is_dir():
        raise UserError(f"`out` {path}: that is a file, give a folder")
    check_place(path, path)
    return names_in(path)


def check_new_folder(path: Path) -> None:
    """Raises UserError unless `path` is missing or an empty folder, and can be made beside what is there."""
    if not path.name:
        raise UserError(f"`out` {path}: give the name of a new folder")
    check_place(path, path.parent)
    if path.exists() and (not path.is_dir() or names_in(path)):
        raise UserError(f"`out` {path}: it exists already, give a new folder")


def check_place(path: Path, folder: Path, name: str = "out") -> None:
    """Raises UserError where nothing can be written in `folder` or, if that is missing, in the nearest folder above it,
    so that `path` could not be made. It is tried, and leaves nothing behind."""
    while not os.path.lexists(folder):
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder), suppress(FileNotFoundError):
            os.lstat(path)  # its name may be too long
    except OSError as error:
        message = f"`{name}` {path}: cannot write in {folder} ({error.strerror}), choose another place"
        raise cannot_write(error, message) from None


def names_in(folder: Path) -> set[str]:
    """The names of all that lies in a folder; none if there is no folder. UserError if it cannot be read."""
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise UserError(f"`out` {folder}: cannot be read ({error.strerror}), choose another folder") from None
