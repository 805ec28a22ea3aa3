"""Images of more than 8 bits a channel: their values as they are in the file."""

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..errors import first_line
from .decode import DEEP_GRAY_MODES, FORMATS, Unreadable
from .fitting import behind, padded, scaled

GRAY_MODES = (*DEEP_GRAY_MODES, "I", "F")
WHITE = 65535
LUMA = (0.299, 0.587, 0.114)


def open_values(stream: BinaryIO, background: str = "white", page: int = 0) -> NDArray[np.float32]:
    """[H, W, 1] or [H, W, 3]: the values of a 16-bit, 32-bit or floating-point image, turned as its EXIF asks.

    Of 16-bit colour Pillow keeps 8 bits, so OpenCV reads that. Transparent pixels are laid on white, or on black
    if that is the background. page: from 0, of a file with several. Raises Unreadable.
    """
    try:
        with Image.open(stream, formats=FORMATS) as file:
            if page:
                file.seek(page)
            if file.mode in GRAY_MODES:
                image = ImageOps.exif_transpose(file)
                return _finite(np.asarray(image, np.float32)[:, :, None])
        stream.seek(0)
        if page:
            raise Unreadable("of 16-bit colour only a file's first page can be read")
        return _finite(_colour(stream.read(), 0 if behind(background) == "black" else WHITE))
    except Unreadable:
        raise
    except Exception as error:  # Pillow and OpenCV raise nearly anything on damaged files
        raise Unreadable(first_line(error)) from None


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

    background: of padding: "edge", "reflect", or "black" and "white", the lower and the upper end of `window`.
    """
    if channels == 1 and values.shape[2] == 3:
        values = np.asarray(values @ np.array(LUMA), np.float32)[:, :, None]
    planes = [np.asarray(scaled(Image.fromarray(plane), height, width, fit)) for plane in values.transpose(2, 0, 1)]
    stacked = np.stack(planes if len(planes) == channels else planes * channels)
    if fit != "pad":
        return stacked
    colour = np.full(channels, window[0 if background == "black" else 1], np.float32)
    return padded(stacked, height, width, background, colour)


def _colour(content: bytes, behind_it: float) -> NDArray[np.float32]:
    import cv2

    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] not in (3, 4):
        raise Unreadable("OpenCV cannot read it as colour")
    values = image.astype(np.float32)
    if values.shape[2] == 4:
        opaque = values[:, :, 3:] / np.float32(WHITE)
        values = values[:, :, :3] * opaque + np.float32(behind_it) * (1 - opaque)
    return np.ascontiguousarray(values[:, :, 2::-1])  # OpenCV has blue first


def _finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(values).all():
        raise Unreadable("it has pixels that are NaN or infinite")
    return values
