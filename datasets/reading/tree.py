"""The files of a set beside its images: those that systems leave behind, and those of other kinds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .formats import is_companion, summary_of_files

# names of files and folders that nobody put there: of macOS, Windows, NAS and photograph programs. Those that begin
# with a dot are hidden anyway
LEFT_BEHIND = re.compile(
    r"__MACOSX|@eaDir|@Recycle|#recycle|#snapshot|\$RECYCLE\.BIN|RECYCLER|System Volume Information|lost\+found"
    r"|Network Trash Folder|Temporary Items|thumbs\.db|ehthumbs\.db|desktop\.ini|_thumbs?|_?thumbnails"
    r"|__pycache__|Previews\.lrdata|.+\.lrdata|.+ Previews\.lrdata|Originals\.picasa|picasa\.ini|Icon\r",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class OtherFiles:
    """The files in a source beside images and label files, as paths from its root. top: the part of it that its images'
    names begin at, "" or "a/b/". files: the others. folders: all of those that are known."""

    top: str = ""
    files: Sequence[str] = ()
    folders: Sequence[str] = ()


def is_visible(name: str) -> bool:
    """Whether a path has no part that is hidden, or that a system has left behind."""
    return not any((part.startswith(".") and part != "..") or _is_left_behind(part) for part in name.split("/"))


def _is_left_behind(part: str) -> bool:
    return LEFT_BEHIND.fullmatch(part) is not None


def lines_on_other_files(rest: OtherFiles) -> tuple[str | None, str | None]:
    """Lines on files that are no images: (on all of them, on those that are no companions of images)."""
    strange = [name for name in rest.files if not is_companion(name)]
    return summary_of_files(rest.files) if rest.files else None, summary_of_files(strange) if strange else None
