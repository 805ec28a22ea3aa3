"""Work on many files in threads: Pillow and zlib let go of the interpreter while they decode."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .unreadable import Unreadable, UnreadableForNow

T = TypeVar("T")
# bounds the results that wait in memory, and the work that an interrupt has to wait for
BATCH = 64
at_work = threading.local()  # .name: the image that a thread reads, for warnings that libraries give meanwhile


def map_readable(function: Callable[[str], T], names: Sequence[str]) -> Iterator[tuple[str, T | Unreadable]]:
    """(name, function(name)) in the order of `names`, an Unreadable that was raised in place of the result.

    What may pass is no property of the file, and stops (`UnreadableForNow.stop`).
    """

    def attempt(name: str) -> T | Unreadable:
        at_work.name = name
        try:
            return function(name)
        except UnreadableForNow as passing:
            raise passing.stop(name) from None
        except Unreadable as unreadable:
            return unreadable
        finally:
            at_work.name = None

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            yield from zip(batch, threads.map(attempt, batch), strict=True)
