"""A generated image as a file: 8 or 16 bits as PNG, floating-point values as TIFF."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .grids import as_picture


def suffix_of(dtype: Any) -> str:
    """ "png", or of floating-point images "tiff"."""
    return "tiff" if dtype == np.float32 else "png"


def encode(image: NDArray[Any]) -> bytes:
    """uint8, uint16 or float32 [H, W, C] -> a file without loss, RGBA of 4 channels as
    `as_picture` has it."""
    if image.dtype == np.uint8:
        return _saved(as_picture(image), "PNG")
    if image.shape[2] == 1:
        return _saved(Image.fromarray(image[:, :, 0]), "TIFF" if image.dtype == np.float32 else "PNG")
    import cv2

    return cv2.imencode(f".{suffix_of(image.dtype)}", image[:, :, ::-1])[1].tobytes()  # OpenCV has blue first


def _saved(picture: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()
