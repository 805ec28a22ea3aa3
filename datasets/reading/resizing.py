"""Images to one size: cut, padded or stretched; and what is laid behind and around them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from ...config.preparation import BORDERS


def scaled(image: Image.Image, height: int, width: int, fit: str) -> Image.Image:
    """An image cut or stretched to a size, or, with fit "pad", scaled to fit into it and never enlarged.

    Scaling is by Pillow's LANCZOS filter, whose support grows with the reduction, so that fine detail does not alias.
    An image of the wanted size keeps its pixels.
    """
    if fit == "crop" and image.size != (width, height):
        image = image.crop(crop_box(image.height, image.width, height, width))
    elif fit == "pad":
        factor = min(height / image.height, width / image.width, 1)
        height, width = max(1, round(image.height * factor)), max(1, round(image.width * factor))
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)


def padded(
    planes: NDArray[Any], height: int, width: int, background: str, color: NDArray[Any] | None = None
) -> NDArray[Any]:
    """[C, h, w] in the centre of [C, height, width].

    Around it lie the outermost pixels repeated (background "edge"), the image mirrored ("reflect"), or `color`, a
    value per plane.
    """
    _, h, w = planes.shape
    if (h, w) == (height, width):
        return planes
    top, left = (height - h) // 2, (width - w) // 2
    if background in BORDERS:
        around = ((0, 0), (top, height - h - top), (left, width - w - left))
        return np.pad(planes, around, mode="edge" if background == "edge" else "reflect")
    assert color is not None
    canvas = np.empty((len(planes), height, width), planes.dtype)
    canvas[:] = color[:, None, None]
    canvas[:, top : top + h, left : left + w] = planes
    return canvas


def crop_box(from_height: int, from_width: int, height: int, width: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom), in whole pixels, of the largest central part whose shape is height : width."""
    cut_height = max(1, min(from_height, round(from_width * height / width)))
    cut_width = max(1, min(from_width, round(from_height * width / height)))
    top, left = (from_height - cut_height) // 2, (from_width - cut_width) // 2
    return left, top, left + cut_width, top + cut_height


def color_behind(background: str) -> str:
    """The colour that transparent pixels are laid on: white where a border is repeated or mirrored."""
    return "white" if background in BORDERS else background


def padding_color(background: str, channels: int) -> NDArray[np.uint8]:
    """uint8 [channels]: the colour that 8-bit images are padded with. With alpha it is transparent."""
    if channels == 4:
        return np.zeros(4, np.uint8)
    color = ImageColor.getcolor(color_behind(background), "L" if channels == 1 else "RGB")
    return np.atleast_1d(np.array(color, np.uint8))
