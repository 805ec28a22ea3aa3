"""What a listing of a set's files means beside its images: what systems leave behind, and folders without images."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .formats import is_companion, told
from .masks import is_mask_folder

# names of files and folders that nobody put there: of macOS, Windows, NAS and photograph programs. Those that begin
# with a dot are hidden anyway
LEFT_BEHIND = re.compile(
    r"__MACOSX|@eaDir|@Recycle|#recycle|#snapshot|\$RECYCLE\.BIN|RECYCLER|System Volume Information|lost\+found"
    r"|Network Trash Folder|Temporary Items|thumbs\.db|ehthumbs\.db|desktop\.ini|_thumbs?|_?thumbnails"
    r"|__pycache__|Previews\.lrdata|.+\.lrdata|.+ Previews\.lrdata|Originals\.picasa|picasa\.ini|Icon\r",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Rest:
    """What lies in a source beside images and label files, as paths from its root. top: the part of it that its
    images' names begin at, "" or "a/b/". files: the others. folders: all of those that are known."""

    top: str = ""
    files: Sequence[str] = ()
    folders: Sequence[str] = ()


def is_visible(name: str) -> bool:
    """Whether a path has no part that is hidden, or that a system has left behind."""
    return not any((part.startswith(".") and part != "..") or _is_left_behind(part) for part in name.split("/"))


def _is_left_behind(part: str) -> bool:
    return LEFT_BEHIND.fullmatch(part) is not None


def other_files(rest: Rest) -> tuple[str | None, str | None]:
    """Lines on files that are no images: (on all of them, on those that are no companions of images)."""
    strange = [name for name in rest.files if not is_companion(name)]
    return told(rest.files) if rest.files else None, told(strange) if strange else None


def empty_folders(rest: Rest, names: Iterable[str], class_parents: Iterable[str]) -> list[str]:
    """Folders without any image among the folders of classes. names: all images; class_parents: the folders that those
    lie in, "" or "a/b/", both as the source names them."""
    holding = {""}
    for name in names:
        parts = (rest.top + name).split("/")
        holding.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    filled: dict[str, list[str]] = {}
    for file in rest.files:
        parts = file.split("/")
        for depth in range(1, len(parts)):
            filled.setdefault("/".join(parts[:depth]), []).append(file)
    parents = {(rest.top + parent).rstrip("/") for parent in class_parents}
    # what was looked through had no class beside it; a folder of notes or boxes beside it is none
    above = {rest.top.rstrip("/").rpartition("/")[0]} if rest.top else set()
    found = []
    for folder in sorted({*rest.folders, *filled} - holding):
        parent, _, base = folder.rpartition("/")
        noted = folder in filled and all(map(is_companion, filled[folder]))
        if not is_mask_folder(base) and (parent in parents or (parent in above and not noted)):
            found.append(folder)
    return found
