"""Why a file is left out, and what only seems to be a reason."""

import errno

# what the system says of a file that is as it is; all else, such as a drive that fails, may pass
LASTING = (None, errno.EINVAL, errno.EFBIG, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)


class Unreadable(Exception):
    """A file that is not an image that can be read; its text is the reason, a few words."""


class Passing(Unreadable):
    """The reason does not lie in the file's bytes: a drive fails, a package is missing. Another day it can be read.

    io_error: whether the system failed, which is no mistake of the user's.
    """

    def __init__(self, reason: str, io_error: bool = False):
        super().__init__(reason)
        self.io_error = io_error


def fault(error: Exception, reason: str) -> Unreadable:
    """What to raise for an error that reading a file has met."""
    if isinstance(error, ImportError):
        return Passing(reason)
    if isinstance(error, OSError) and error.errno not in LASTING:
        return Passing(reason, io_error=error.errno not in (errno.EACCES, errno.EPERM))
    return Unreadable(reason)
