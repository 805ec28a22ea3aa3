"""One image as a picture, and as a file: 8 or 16 bits as PNG, floating-point values as TIFF."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def picture_suffix(dtype: Any) -> str:
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

    return cv2.imencode(f".{picture_suffix(image.dtype)}", image[:, :, ::-1])[1].tobytes()  # OpenCV has blue first


def _saved(picture: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def as_picture(image: np.ndarray) -> Image.Image:
    """uint8 [H, W, C] -> L, LA, RGB, or RGBA. Of 4 channels the colours are multiplied by alpha, and are divided by it
    for the picture."""
    height, width, channels = image.shape
    if channels == 4:
        # Pillow's RGBa has the colours multiplied; a generator's may exceed alpha, where nothing could be so bright
        content = np.minimum(image, image[:, :, 3:]).tobytes()
        return Image.frombytes("RGBa", (width, height), content).convert("RGBA")
    return Image.fromarray(image[:, :, 0] if channels == 1 else image, {1: "L", 2: "LA", 3: "RGB"}[channels])
