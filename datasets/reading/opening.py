"""Images of all formats, opened by what their files begin with, and the pictures of a source."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...config.preparation import Preparation
from . import arrays, decode, dicom, high_bit_depth, tiff
from .bands import chosen_bands
from .decode import Header, open_stream
from .formats import FIRST
from .parallel import map_readable
from .picture_names import file_of, page_of, picture_names
from .sources import Source, require_images
from .unreadable import DAMAGE, Unreadable, UnreadableForNow

PLAIN = Preparation()


def read_headers(source: Source, preparation: Preparation = PLAIN) -> tuple[dict[str, Header], dict[str, str]]:
    """(the header of each picture, the reason why a file cannot be read), by names. UserError if there are no files.

    With pages "all" all files that hold several pictures are taken apart, with "first" only those of formats in which
    these are images of their own.
    """
    files, unreadable = _read(source, require_images(source), preparation.bands)
    headers: dict[str, Header] = {}
    others: list[str] = []
    for file, header in files.items():
        if header.pictures > 1:
            headers.update(dict.fromkeys(picture_names(file, header.pictures), header))
        elif preparation.pages == "all" and header.frames > 1:
            others += picture_names(file, header.frames)
        else:
            headers[file] = header
    found, lost = _read(source, others, preparation.bands)
    return dict(sorted((headers | found).items())), unreadable | lost


def _read(source: Source, names: list[str], bands: tuple[int, ...]) -> tuple[dict[str, Header], dict[str, str]]:
    def header_of(name: str) -> Header:
        with open_picture(source, name) as (stream, picture):
            return read_header(stream, picture, bands)

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


def read_header(stream: BinaryIO, picture: int = 0, bands: tuple[int, ...] = ()) -> Header:
    """The header of a picture of any format. bands: those that are to be taken. Raises Unreadable."""
    beginning = _beginning(stream)
    if arrays.is_array(beginning):
        header = arrays.read_header(stream)
    elif dicom.is_dicom(beginning):
        header = dicom.read_header(stream)
    else:
        page, pictures, found = _look_at_tags(stream, beginning, picture)
        header = found or decode.read_header(stream, page)
        header = header if pictures is None else replace(header, frames=pictures)
    return replace(header, gray=len(bands) == 1, transparent=False, bands=None) if bands else header


def open_image(
    stream: BinaryIO, picture: int = 0, preparation: Preparation = PLAIN, alpha: bool = False
) -> Image.Image:
    """A picture of any format, as `decode.open_image` gives it. DICOM files have no transparency."""
    background, bands = preparation.background, preparation.bands
    beginning = _beginning(stream)
    if arrays.is_array(beginning):
        return arrays.open_image(stream, background, alpha, bands)
    if dicom.is_dicom(beginning):
        return decode.as_8_bit_image(dicom.read_image(stream, picture), background, alpha, bands)
    page, _, found = _look_at_tags(stream, beginning, picture)
    if found is not None:
        return tiff.open_image(stream, picture, background, alpha, bands)
    return decode.open_image(stream, background, alpha, page, bands)


def open_shown(stream: BinaryIO, picture: int = 0, preparation: Preparation = PLAIN) -> Image.Image:
    """The picture as `open_image` gives it, but values that do not fit into 8 bits from their lowest to their
    highest."""
    header = read_header(stream, picture, preparation.bands)
    stream.seek(0)
    if header.why_not_8_bits is None:
        return open_image(stream, picture, preparation)
    values = open_values(stream, picture, preparation)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    levels = np.nan_to_num((values - low) * (255 / max(high - low, 1e-12))).round().astype(np.uint8)
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


def open_values(stream: BinaryIO, picture: int = 0, preparation: Preparation = PLAIN) -> NDArray[np.float32]:
    """The values [H, W, 1 or 3] of any format, as of `high_bit_depth.open_values`; NaN where nothing was measured."""
    background, bands = preparation.background, preparation.bands
    beginning = _beginning(stream)
    if arrays.is_array(beginning):
        return arrays.open_values(stream, background, bands)
    if dicom.is_dicom(beginning):
        values = dicom.read_values(stream, picture)
        return chosen_bands(values, bands) if bands else values
    page, _, found = _look_at_tags(stream, beginning, picture)
    if found is not None:
        return tiff.open_values(stream, picture, background, bands)
    return high_bit_depth.open_values(stream, background, page, bands)


def _beginning(stream: BinaryIO) -> bytes:
    """The first bytes of a stream, which is left at its beginning; none of a damaged one."""
    try:
        found = stream.read(FIRST)
        stream.seek(0)
    except DAMAGE:
        return b""
    return found


def _look_at_tags(stream: BinaryIO, beginning: bytes, picture: int) -> tuple[int, int | None, Header | None]:
    """(The page of a picture, the number of pictures, the header if tifffile is to read it) of a TIFF; (picture, None,
    None) of others. What tifffile cannot make out is left to Pillow if that sees no more than 8 bits in it."""
    if not tiff.is_tiff(beginning):
        return picture, None, None
    try:
        found = tiff.find_picture(stream, picture)
    except UnreadableForNow:
        raise
    except Unreadable as reason:
        stream.seek(0)
        if not _is_plain(stream, picture):
            raise reason from None
        stream.seek(0)
        return picture, None, None
    return found.page, found.pictures, found.header


def _is_plain(stream: BinaryIO, picture: int) -> bool:
    """Whether Pillow sees no more than 8 bits in a file."""
    try:
        return not decode.read_header(stream, picture).beyond_8_bits
    except Unreadable:
        return False
