"""One file, several pictures: the pages of a TIFF, the frames of an animation.

Each has the name of its file with its number, from 1: scan.tiff#0002. No file of a source is named so, since images
are recognised by their suffix.
"""

import re

NUMBERED = re.compile(r"(.+)#(\d{4,})", re.DOTALL)


def picture_names(file: str, count: int) -> list[str]:
    """The names of a file's `count` pictures."""
    return [f"{file}#{number:04}" for number in range(1, count + 1)]


def file_of(name: str) -> str:
    """The file in which a picture is: of "scan.tiff#0002" "scan.tiff", of other names themselves."""
    match = NUMBERED.fullmatch(name)
    return match[1] if match else name


def page_of(name: str) -> int:
    """A picture's place in its file, from 0."""
    match = NUMBERED.fullmatch(name)
    return int(match[2]) - 1 if match else 0
