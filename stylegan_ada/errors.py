"""Errors that a user can cause: one line saying what was wrong, where, and what to do."""

import difflib
import errno
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in the input. The command line prints its one line and exits with 2, without a traceback."""


class RunFailed(UserError):
    """No mistake in the input: training diverged, or memory or the disk is full. Exit code 1 in place of 2."""


class PeerError(RunFailed):
    """Another process has told the user already."""


class PeerLost(Exception):
    """Another process died or does not answer; says how that showed. No UserError, which a measurement may outlive."""


# a path that cannot be written is one, a full disk is none, nor a file larger than a disk or the system (ulimit) allows
NO_MISTAKE = (None, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def cannot_write(error: OSError, message: str) -> UserError:
    """The error to raise, with this message, where writing failed."""
    return RunFailed(message) if error.errno in NO_MISTAKE else UserError(message)


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out: by the class, or by the words of the CPU's allocator, of oneDNN's and of CUDA's
    libraries."""
    import torch

    words = ("can't allocate memory", "bad_alloc", "could not create a primitive", "ALLOC_FAILED")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(word in str(error) for word in words)


def check_least(name: str, value: int, least: int) -> None:
    """Raises a UserError that names the parameter, unless its value is `least` or more."""
    if value < least:
        raise UserError(f"`{name}` {value}: give {least} or more")


def first_line(error: Exception) -> str:
    """The first line of what an error says, its type where it says nothing: another library's may say many. Of the
    system's errors what is wrong, without number and file."""
    reason = getattr(error, "strerror", None) or str(error)
    return shown((reason.strip().splitlines() or [type(error).__name__])[0])


def shown(text: str) -> str:
    """Text from a file or of a file's name, fit for one line of a terminal: what cannot be printed (line ends, control
    characters, marks that reverse the order of writing, bytes that are no text) as Python's escapes."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def nearest(word: str, choices: Iterable[str]) -> str:
    """The end of an error line: the choice most like `word`, or all the choices if none is like it."""
    choices = sorted(choices)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return "choose from " + ", ".join(repr(choice) for choice in choices)
