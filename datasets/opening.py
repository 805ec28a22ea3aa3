"""Images of all formats, opened by what their files begin with, and the pictures of a source."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import decode, deep, dicom
from .decode import Header, Unreadable, open_stream
from .parallel import map_readable
from .pictures_of_files import file_of, page_of, picture_names
from .sources import Source, require_images


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
            headers.update(dict.fromkeys(picture_names(file, header.pictures), header))
    return headers, unreadable


@contextmanager
def open_picture(source: Source, name: str) -> Iterator[tuple[BinaryIO, int]]:
    """(the file's stream, the picture's index in it, from 0). Raises Unreadable."""
    with open_stream(source, file_of(name)) as stream:
        yield stream, page_of(name)


def read_header(stream: BinaryIO) -> Header:
    """As decode.read_header, of DICOM files, too."""
    return dicom.read_header(stream) if dicom.is_dicom(stream) else decode.read_header(stream)


def open_image(stream: BinaryIO, picture: int = 0) -> Image.Image:
    """As decode.open_image, of DICOM files, too."""
    return dicom.read_image(stream, picture) if dicom.is_dicom(stream) else decode.open_image(stream)


def open_values(stream: BinaryIO, picture: int = 0) -> NDArray[np.float32]:
    """As deep.open_values, of DICOM files, too."""
    return dicom.read_values(stream, picture) if dicom.is_dicom(stream) else deep.open_values(stream)
