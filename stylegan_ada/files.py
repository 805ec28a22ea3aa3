"""Where files are kept, and writing them whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UserError, cannot_write


def cache_root() -> Path:
    """Where all that can be computed again is kept: STYLEGAN_ADA_CACHE, or the user's cache folder. UserError
    where neither is known."""
    named = os.environ.get("STYLEGAN_ADA_CACHE")
    if named:
        return user_path(named)
    import platformdirs  # only needed here, and not by a plain import

    try:
        folder = platformdirs.user_cache_path("stylegan-ada")
    except RuntimeError:  # a user without a home folder, as in containers
        folder = Path("~")
    if not folder.is_absolute():  # what older versions of platformdirs give
        raise UserError("there is no home folder to keep computed files in: set STYLEGAN_ADA_CACHE to a folder")
    return folder


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
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
