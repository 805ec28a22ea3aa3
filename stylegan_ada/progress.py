"""The callbacks by which a long task tells how far it is and what happens."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[int, int], None]  # called with the number of images, or other units, done and in all
StageProgress = Callable[[str], Progress]  # called with the name of a stage that begins, gives its Progress
Say = Callable[[str], None]  # called with one line for the user
Bar = Callable[[str], AbstractContextManager[Progress]]  # of the name of what begins; it is told how far that is


@contextmanager
def no_bar(name: str) -> Iterator[Progress]:
    """Shows nothing."""
    yield lambda done, total: None
