"""Images of more than 8 bits a channel: their values as they are in the file, NaN where nothing was measured."""

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from ...errors import first_line
from ...pixels import oriented
from .bands import chosen_bands
from .decode import GRAY_MODES_16_BIT, TRANSPARENT, orientation_of, upright, with_pillow
from .png_chunks import EXIF, SAYS_NOTHING, is_png, without_chunks
from .resizing import color_behind, padded, scaled
from .unreadable import Unreadable, unreadable_error

GRAY_MODES_BEYOND_8_BITS = (*GRAY_MODES_16_BIT, "I", "F")
WHITE = 65535
LUMA = (0.299, 0.587, 0.114)


def open_values(
    stream: BinaryIO, background: str = "white", page: int = 0, bands: tuple[int, ...] = ()
) -> NDArray[np.float32]:
    """[H, W, 1] or [H, W, 3]: the values of a 16-bit image, turned as its EXIF asks.

    Of 16-bit colour Pillow keeps 8 bits, so imagecodecs reads that. Transparent pixels are laid on white, or on black
    if that is the background. page: from 0, of a file with several. bands: to take in place of the colours, from 1.
    Raises Unreadable.
    """

    def gray(file: ImageFile.ImageFile) -> tuple[NDArray[Any] | None, int]:
        return _gray(upright(file)) if file.mode in GRAY_MODES_BEYOND_8_BITS else None, orientation_of(file)

    values, orientation = with_pillow(stream, page, gray)
    if values is None:
        if page:
            raise Unreadable("of 16-bit colour only a file's first page can be read")
        values = oriented(_color(stream), orientation)
    return as_values(chosen_bands(values, bands) if bands else without_alpha(values, background, WHITE))


def without_alpha(values: NDArray[Any], background: str, white: float, multiplied: bool = False) -> NDArray[Any]:
    """[H, W, 1 or 3] of samples [H, W, S]: where S is 2 or 4 the last one is alpha, up to `white`, and what it lets
    through is white, or black if that is the background. An alpha of 0 everywhere hides nothing.

    multiplied: whether the colours are multiplied by alpha already.
    """
    if values.shape[2] in (1, 3):
        return values
    colors = np.asarray(values[:, :, : 1 if values.shape[2] == 2 else 3], np.float64)
    if not values[:, :, -1].any():
        return colors
    alpha = values[:, :, -1:] / white
    behind_it = 0.0 if color_behind(background) == "black" else white
    return (colors if multiplied else colors * alpha) + behind_it * (1 - alpha)


def as_values(values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """float32, with NaN where nothing was measured: where `missing` says so, and where values are not finite.
    Raises Unreadable where that is everywhere."""
    with np.errstate(over="ignore"):
        found = np.array(values, np.float32)
    finite = np.isfinite(found)
    if missing is None and finite.all():
        return found
    nothing = ~finite if missing is None else ~finite | missing
    if nothing.all():
        raise Unreadable("all its pixels are NaN, infinite or the value that stands for nothing measured")
    found[nothing] = np.nan
    return found


def fitted(
    values: NDArray[np.float32],
    height: int,
    width: int,
    channels: int,
    fit: str,
    background: str = "white",
    window: tuple[float, float] = (0, WHITE),
) -> NDArray[np.float32]:
    """[channels, height, width], as `to_array` does it: cut, padded or stretched, scaled by Pillow's LANCZOS filter,
    colour to gray by the luma of ITU-R BT.601. Values of the wanted size stay as they are.

    background: of padding: "edge", "reflect", or "black" and "white", the lower and the upper end of `window`. NaN,
    where nothing was measured, becomes the lower end.
    """
    if np.isnan(values.min()):
        values = np.where(np.isnan(values), np.float32(window[0]), values)
    if channels == 1 and values.shape[2] == 3:
        values = np.asarray(values @ np.array(LUMA), np.float32)[:, :, None]
    planes = [np.asarray(scaled(Image.fromarray(plane), height, width, fit)) for plane in values.transpose(2, 0, 1)]
    stacked = np.stack(planes if len(planes) == channels else planes * channels)
    if fit != "pad":
        return stacked
    color = np.full(channels, window[0 if background == "black" else 1], np.float32)
    return padded(stacked, height, width, background, color)


def _gray(image: Image.Image) -> NDArray[Any]:
    """[H, W, 1], or [H, W, 2] with alpha where one value stands for transparency."""
    values, transparent = np.asarray(image), image.info.get(TRANSPARENT)
    return np.dstack([values, (values != transparent) * WHITE] if isinstance(transparent, int) else [values])


def _color(stream: BinaryIO) -> NDArray[Any]:
    """[H, W, 2 to 4]: gray with alpha, or colours, of a PNG."""
    if not is_png(stream):
        raise Unreadable("16-bit colour is read of PNG and TIFF alone: convert it")
    try:
        import imagecodecs

        values: NDArray[Any] = imagecodecs.png_decode(without_chunks(stream, (*SAYS_NOTHING, EXIF)).read())
    except Exception as error:  # damage, or the package is missing
        raise unreadable_error(error, first_line(error)) from None
    if values.ndim != 3 or values.dtype != np.uint16:
        raise Unreadable("its pixels are not the 16-bit colour that its header announces")
    return values
