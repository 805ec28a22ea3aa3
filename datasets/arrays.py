"""Images in numpy's files, .npy: an array [H, W], [H, W, C] or [C, H, W] with C of 1, 3 or 4."""

import math
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import first_line
from .decode import Header, Unreadable, refusal
from .fitting import behind
from .label_files import DAMAGE

MARK = b"\x93NUMPY"
CHANNELS = (1, 3, 4)
MOST_PIXELS = 178_956_970  # as of Pillow's images
LONGEST_HEADER = 10_000  # letters, what numpy itself trusts
BYTES = (np.dtype(np.uint8), np.dtype(bool))
DEEP = np.dtype(np.uint16)


def is_array(stream: BinaryIO) -> bool:
    """Whether a stream, which is left at its beginning, is a .npy. A damaged one is none."""
    try:
        mark = stream.read(len(MARK))
        stream.seek(0)
    except DAMAGE:
        return False
    return mark == MARK


def read_header(stream: BinaryIO) -> Header:
    """What a .npy says of its array, without reading that. Raises Unreadable."""
    shape, _, dtype = _described(stream)
    height, width, channels = _as_image(shape)
    deep = dtype not in BYTES
    gray = channels == 1
    modes = {1: "L", 3: "RGB", 4: "RGBA"}
    mode = modes[channels] if not (deep and gray) else "I;16" if dtype == DEEP else "F" if dtype.kind == "f" else "I"
    return Header(height, width, mode, gray=gray, frames=1, deep=deep, transparent=channels == 4)


def open_image(stream: BinaryIO, background: str = "white", alpha: bool = False) -> Image.Image:
    """As decode.open_image: 16 bits by v / 257. Raises Unreadable for other kinds of numbers."""
    values = _read(stream)
    if values.dtype == bool:
        values = np.where(values, np.uint8(255), np.uint8(0))
    elif values.dtype == DEEP:
        values = (values.astype(np.uint32) + 128) // 257
    elif values.dtype not in BYTES:
        raise Unreadable(refusal("F" if values.dtype.kind == "f" else "I") or "")
    pixels = values.astype(np.uint8)
    gray = pixels.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if gray else pixels))
    if image.mode == "RGBA" and not alpha:
        image = Image.alpha_composite(Image.new("RGBA", image.size, behind(background)), image)
    return image.convert("RGBA" if alpha else "L" if gray else "RGB")


def open_values(stream: BinaryIO) -> NDArray[np.float32]:
    """[H, W, 1] or [H, W, 3]: the numbers as they are, without transparency. Raises Unreadable."""
    values = _read(stream)[:, :, :3].astype(np.float32)
    if not np.isfinite(values).all():
        raise Unreadable("it has pixels that are NaN or infinite")
    return values


def _read(stream: BinaryIO) -> NDArray[np.generic]:
    """[H, W, C]"""
    shape, by_columns, dtype = _described(stream)
    height, width, channels = _as_image(shape)
    wanted = math.prod(shape) * dtype.itemsize
    try:
        content = stream.read(wanted)
    except DAMAGE as error:
        raise Unreadable(first_line(error)) from None
    if len(content) < wanted:
        raise Unreadable("it is cut off")
    values = np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")
    values = values.astype(dtype.newbyteorder("="))
    if values.ndim == 3 and values.shape != (height, width, channels):
        values = values.transpose(1, 2, 0)
    return values.reshape(height, width, channels)


def _described(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """(shape, whether it is stored by columns, kind of numbers); the stream is left at the first number."""
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(stream, max_header_size=LONGEST_HEADER)
    except Exception as error:  # numpy raises nearly anything on damaged headers
        raise Unreadable(first_line(error)) from None
    if dtype.kind not in "uifb" or dtype.itemsize > 8:
        raise Unreadable(f"it holds {dtype.name}: save numbers of at most 64 bits")
    return shape, by_columns, dtype


def _as_image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(H, W, C). Raises Unreadable."""
    if len(shape) == 2:
        found = (*shape, 1)
    elif len(shape) == 3 and shape[2] in CHANNELS:
        found = shape
    elif len(shape) == 3 and shape[0] in CHANNELS:
        found = (*shape[1:], shape[0])
    else:
        words = "x".join(map(str, shape))
        raise Unreadable(f"an array of {words:.80}, not of H x W, H x W x C or C x H x W with C of 1, 3 or 4")
    if min(found) < 1 or found[0] * found[1] > MOST_PIXELS:
        raise Unreadable(f"{found[0] * found[1]} pixels, of which there may be 1 to {MOST_PIXELS}")
    height, width, channels = found
    return height, width, channels
