"""The reasons why a file is left out, and what only seems to be one."""

import errno
import struct
import zlib
from zipfile import BadZipFile

from ...errors import RunFailed, UserError, first_line

# what the system says of a file that is as it is; all else, such as a drive that fails, may pass
LASTING = (None, errno.EINVAL, errno.EFBIG, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
# what reading a damaged file of a zip, or a file that changes meanwhile, has been seen to raise, and text that is none
DAMAGE = (OSError, EOFError, RuntimeError, ValueError, OverflowError, MemoryError, BadZipFile, struct.error, zlib.error)


class Unreadable(Exception):
    """A file that is not an image that can be read; its text is the reason, a few words."""


class UnreadableForNow(Unreadable):
    """The reason does not lie in the file's bytes: a drive fails, a package is missing. Another day it can be read.

    io_error: whether the system failed, which is no mistake of the user's.
    """

    def __init__(self, reason: str, io_error: bool = False):
        super().__init__(reason)
        self.io_error = io_error

    def stop(self, name: str) -> UserError:
        """The exception that ends the command, since going on would lose the file: a RunFailed if the drive fails, a
        UserError if a package or a permission is missing."""
        failure = RunFailed if self.io_error else UserError
        return failure(f"cannot read {name!r:.300} ({self}): put that right, or take the file away")


def unreadable_error(error: Exception, reason: str) -> Unreadable:
    """The exception to raise for an error met in reading a file."""
    if isinstance(error, ImportError):
        return UnreadableForNow(reason)
    if isinstance(error, OSError) and error.errno not in LASTING:
        return UnreadableForNow(reason, io_error=error.errno not in (errno.EACCES, errno.EPERM))
    return Unreadable(reason)


def refusal(error: Exception, name: str, lasting: str) -> UserError:
    """The exception to raise if a command cannot go on without a file: `stop`'s if the reason may pass, else a
    UserError with the text `lasting`."""
    found = unreadable_error(error, first_line(error))
    return found.stop(name) if isinstance(found, UnreadableForNow) else UserError(lasting)
