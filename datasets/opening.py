"""Images of all formats, opened by what their files begin with, and the pictures of a source."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import arrays, decode, deep, dicom
from .decode import Header, Unreadable, open_stream
from .parallel import map_readable
from .pictures_of_files import file_of, page_of, picture_names
from .sources import Source, require_images


def read_headers(source: Source, pages: str = "first") -> tuple[dict[str, Header], dict[str, str]]:
    """(the header of each picture, the reason why a file cannot be read), by names. UserError if there are no files.

    pages: "all" takes apart all files that hold several pictures, "first" only those of formats in which these are
    images of their own.
    """
    files, unreadable = _read(source, require_images(source))
    headers: dict[str, Header] = {}
    others: list[str] = []
    for file, header in files.items():
        if header.pictures > 1:
            headers.update(dict.fromkeys(picture_names(file, header.pictures), header))
        elif pages == "all" and header.frames > 1:
            others += picture_names(file, header.frames)
        else:
            headers[file] = header
    found, lost = _read(source, others)
    return dict(sorted((headers | found).items())), unreadable | lost


def _read(source: Source, names: list[str]) -> tuple[dict[str, Header], dict[str, str]]:
    def header_of(name: str) -> Header:
        with open_picture(source, name) as (stream, picture):
            return read_header(stream, picture)

    headers: dict[str, Header] = {}
    unreadable: dict[str, str] = {}
    for name, header in map_readable(header_of, names):
        if isinstance(header, Unreadable):
            unreadable[name] = str(header)
        else:
            headers[name] = header
    return headers, unreadable


@contextmanager
def open_picture(source: Source, name: str) -> Iterator[tuple[BinaryIO, int]]:
    """(the file's stream, the picture's index in it, from 0). Raises Unreadable."""
    with open_stream(source, file_of(name)) as stream:
        yield stream, page_of(name)


def read_header(stream: BinaryIO, picture: int = 0) -> Header:
    """As decode.read_header, of DICOM files and arrays, too."""
    if arrays.is_array(stream):
        return arrays.read_header(stream)
    return dicom.read_header(stream) if dicom.is_dicom(stream) else decode.read_header(stream, picture)


def open_image(stream: BinaryIO, picture: int = 0, background: str = "white", alpha: bool = False) -> Image.Image:
    """As decode.open_image, of arrays, too, and of DICOM files, which have no transparency."""
    if arrays.is_array(stream):
        return arrays.open_image(stream, background, alpha)
    if dicom.is_dicom(stream):
        image = dicom.read_image(stream, picture)
        return image.convert("RGBA") if alpha else image
    return decode.open_image(stream, background, alpha, picture)


def open_values(stream: BinaryIO, picture: int = 0, background: str = "white") -> NDArray[np.float32]:
    """As deep.open_values, of DICOM files and arrays, too."""
    if arrays.is_array(stream):
        return arrays.open_values(stream)
    if dicom.is_dicom(stream):
        return dicom.read_values(stream, picture)
    return deep.open_values(stream, background, picture)
