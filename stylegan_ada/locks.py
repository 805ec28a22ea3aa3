"""Locks on open files, which end with their process, on file systems that have them."""

import errno
import fcntl
from typing import IO, Any

HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)  # NFS makes record locks of them, which may answer EACCES


def lock(file: IO[Any], operation: int) -> bool:
    """Takes a lock (`operation`: as for fcntl.flock). False where there are none: Lustre, NFS and others may be mounted
    without. BlockingIOError if another process holds it.

    NFS takes an exclusive lock only of a file that is open for writing.
    """
    try:
        fcntl.flock(file, operation)
    except OSError as error:
        if error.errno in HELD:
            raise BlockingIOError(error.errno, error.strerror) from None
        return False
    return True
