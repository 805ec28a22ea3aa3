"""The values of a mask's file, as they are stored: gray values, indices of a palette, or colours."""

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from ...config.masks import COLOR
from ..reading import arrays, opening
from ..reading.decode import upright, with_pillow
from ..reading.formats import FIRST
from ..reading.unreadable import Unreadable, UnreadableForNow

JPEG = b"\xff\xd8\xff"


def read_codes(stream: BinaryIO, picture: int = 0) -> NDArray[np.uint32]:
    """[H, W]: gray values, indices of a palette, or colours as 0xRRGGBB + COLOR. Transparency counts only where the
    colours are all the same, and it differs or is whole. A palette's colours do not count. Raises Unreadable."""
    header = opening.read_header(stream, picture)
    stream.seek(0)
    if header.pictures > 1 and picture >= header.pictures:
        raise Unreadable(f"it holds {header.pictures} pictures, the image is number {picture + 1} of its file")
    if header.beyond_8_bits:
        return _whole(opening.open_values(stream, picture))
    beginning = stream.read(FIRST)
    stream.seek(0)
    if arrays.is_array(beginning):
        return _whole(arrays.open_values(stream))
    try:
        return with_pillow(stream, min(picture, header.frames - 1), _of_pillow)
    except UnreadableForNow:
        raise
    except Unreadable:  # a TIFF beyond Pillow, or DICOM
        stream.seek(0)
        return _colors(np.asarray(opening.open_image(stream, picture)))


def is_lossy(stream: BinaryIO) -> bool:
    """Whether a file's format, JPEG, blurs values."""
    beginning = stream.read(len(JPEG))
    stream.seek(0)
    return beginning == JPEG


def _of_pillow(file: ImageFile.ImageFile) -> NDArray[np.uint32]:
    image = upright(file)
    if image.mode in ("P", "1"):
        return np.asarray(image).astype(np.uint32)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        colors, alpha = np.asarray(image)[:, :, :3], image.getchannel("A")
        shares = alpha.histogram()
        says_something = max(shares) < sum(shares) or shares[0] == sum(shares)
        by_alpha = (colors == colors[:1, :1]).all() and says_something
        image = alpha if by_alpha else image.convert("RGB")
    if image.mode != "L":
        image = image.convert("RGB")
    return _colors(np.asarray(image))


def _whole(values: NDArray[Any]) -> NDArray[np.uint32]:
    """Codes of [H, W, 1 or 3]. Values from 0 to 1 with fractions are shares, and become 0 to 255."""
    if np.isnan(values.min()) or values.min() < 0:
        raise Unreadable("it has negative values or NaN, where a mask has 0 and up: save whole numbers")
    if not (values == values.round()).all():
        if values.max() > 1:
            raise Unreadable("its values have fractions and go beyond 1: save whole numbers, or shares from 0 to 1")
        values = (values * 255).round()
    return _colors(values)


def _colors(values: NDArray[Any]) -> NDArray[np.uint32]:
    values = values.astype(np.uint32)
    if values.ndim == 2:
        return values
    if values.shape[2] == 1:
        return values[:, :, 0]
    red, green, blue = values[:, :, 0], values[:, :, 1], values[:, :, 2]
    if max(red.max(), green.max(), blue.max()) > 255:
        raise Unreadable("its colours have more than 8 bits: save it with 8")
    is_gray = (red == green) & (green == blue)
    return np.where(is_gray, red, COLOR + (red << 16 | green << 8 | blue))
