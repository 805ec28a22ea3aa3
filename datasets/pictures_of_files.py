"""From files to pictures: a file may hold several, each an image of its own.

The third picture of scan.dcm is named `scan.dcm#0003`; the only picture of a file is named as the file. No file of a
source has such a name, since those end in a suffix of IMAGE_SUFFIXES.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import decode, deep, dicom
from .decode import Header, Unreadable, open_stream
from .parallel import map_readable
from .sources import Source, require_images

NUMBERED = re.compile(r"(.*)#(\d{4,})", re.DOTALL)


def file_of(picture: str) -> str:
    """The file that a picture lies in."""
    found = NUMBERED.fullmatch(picture)
    return found[1] if found else picture


def read_headers(source: Source) -> tuple[dict[str, Header], dict[str, str]]:
    """(the header of each picture, the reason why a file cannot be read), by names. UserError if there are no files."""
    headers: dict[str, Header] = {}
    unreadable: dict[str, str] = {}

    def header_of(file: str) -> Header:
        with open_stream(source, file) as stream:
            return read_header(stream)

    for file, header in map_readable(header_of, require_images(source)):
        if isinstance(header, Unreadable):
            unreadable[file] = str(header)
        elif header.pictures == 1:
            headers[file] = header
        else:
            headers.update({f"{file}#{number:04}": header for number in range(1, header.pictures + 1)})
    return headers, unreadable


@contextmanager
def open_picture(source: Source, name: str) -> Iterator[tuple[BinaryIO, int]]:
    """(the file's stream, the picture's index in it, from 0). Raises Unreadable."""
    found = NUMBERED.fullmatch(name)
    with open_stream(source, file_of(name)) as stream:
        yield stream, int(found[2]) - 1 if found else 0


def read_header(stream: BinaryIO) -> Header:
    """As decode.read_header, of DICOM files, too."""
    return dicom.read_header(stream) if dicom.is_dicom(stream) else decode.read_header(stream)


def open_image(stream: BinaryIO, picture: int = 0) -> Image.Image:
    """As decode.open_image, of DICOM files, too."""
    return dicom.read_image(stream, picture) if dicom.is_dicom(stream) else decode.open_image(stream)


def open_values(stream: BinaryIO, picture: int = 0) -> NDArray[np.float32]:
    """As deep.open_values, of DICOM files, too."""
    return dicom.read_values(stream, picture) if dicom.is_dicom(stream) else deep.open_values(stream)
