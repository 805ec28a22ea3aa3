"""Tar files, such as WebDataset's shards: read at their members' places, and never extracted."""

import io
import json
import re
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...errors import UserError, first_line
from .unreadable import refusal

RANGE = re.compile(r"(.*)\{(\d{1,9})\.\.(\d{1,9})\}(.*)", re.DOTALL)
MOST_SHARDS = 100_000
CLASS, ABOUT = ".cls", ".json"
LONGEST_LABEL = 2**16  # bytes of a member that says a label


@dataclass(frozen=True)
class Member:
    """The place of a file in a tar."""

    tar: Path
    offset: int
    size: int

    def open(self) -> BinaryIO:
        """Reads its bytes into memory. OSError and what Python raises for too many of them."""
        with self.tar.open("rb") as file:
            file.seek(self.offset)
            return io.BytesIO(file.read(self.size))


def shards_of(text: str) -> list[Path]:
    """ "set-{000..003}.tar" -> the four paths; of a text without braces that path alone."""
    found = RANGE.fullmatch(text)
    if not found:
        return [Path(text)]
    first, last = int(found[2]), int(found[3])
    if not first <= last < first + MOST_SHARDS:
        raise UserError(f"{text!r:.300}: give a range of at most {MOST_SHARDS} files, the lower number first")
    return [Path(f"{found[1]}{number:0{len(found[2])}}{found[4]}") for number in range(first, last + 1)]


def members_of(tar: Path) -> dict[str, Member]:
    """The plain files in a tar, by name; links, devices and sparse files are passed over. UserError for no tar."""
    try:
        with tarfile.open(tar, "r:") as archive:
            return {
                member.name.removeprefix("./").lstrip("/"): Member(tar, member.offset_data, member.size)
                for member in archive
                if member.isreg() and member.sparse is None
            }
    except (OSError, ValueError, ArithmeticError, MemoryError, EOFError, RecursionError, tarfile.TarError) as error:
        reason = first_line(error)
        line = f"cannot read the tar {str(tar)!r} ({reason}): make it anew, not compressed"
        raise refusal(error, str(tar), line) from None


def says_labels(members: Iterable[str]) -> bool:
    """Whether there are members that say the class of an image, as WebDataset has them."""
    return any(name.endswith(CLASS) for name in members)


def label_file(members: dict[str, Member], images: Sequence[str]) -> bytes:
    """The classes as a dataset.json: by the text of "label" in KEY.json if all images have that, else by the number in
    KEY.cls. UserError for an image without."""
    keys = {name: _key(name) for name in images}
    texts = {name: _text(members.get(key + ABOUT)) for name, key in keys.items()}
    if all(text is not None for text in texts.values()):
        return json.dumps({"labels": list(texts.items())}).encode()
    return json.dumps({"labels": [(name, _number(members, key)) for name, key in keys.items()]}).encode()


def _key(name: str) -> str:
    """The key of a file in WebDataset: its path up to the first dot of the last part."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.partition(".")[0]


def _text(member: Member | None) -> str | None:
    if member is None or member.size > LONGEST_LABEL:
        return None
    try:
        label = json.loads(member.open().read()).get("label")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return label if isinstance(label, str) and label else None


def _number(members: dict[str, Member], key: str) -> int:
    member = members.get(key + CLASS)
    content = member.open().read() if member and member.size <= LONGEST_LABEL else b""
    try:
        number = int(content[:32])
    except ValueError:
        number = -1
    if number < 0:
        raise UserError(f"{key + CLASS!r:.300} holds no number of a class, from 0: make the shards anew")
    return number
