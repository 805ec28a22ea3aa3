"""Images in numpy's files, .npy: an array [H, W], [H, W, C] or [C, H, W] where C is colours or bands."""

import math
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import first_line
from .bands import NO_COLORS, Bands, chosen_bands
from .decode import MOST_PIXELS, Header, as_8_bit_image
from .high_bit_depth import as_values, without_alpha
from .unreadable import DAMAGE, Unreadable, unreadable_error

MARK = b"\x93NUMPY"
CHANNELS = (1, 3, 4)
MOST_BANDS = 64
LONGEST_HEADER = 10_000  # letters, what numpy itself trusts
BYTES = (np.dtype(np.uint8), np.dtype(bool))
UINT16 = np.dtype(np.uint16)


def is_array(beginning: bytes) -> bool:
    """Whether a file that begins so is a .npy."""
    return beginning.startswith(MARK)


def read_header(stream: BinaryIO) -> Header:
    """The header of a .npy, without reading its array. Raises Unreadable."""
    shape, _, dtype = _described(stream)
    height, width, channels = _as_image(shape)
    beyond_8_bits = dtype not in BYTES
    mode = {1: "L", 3: "RGB", 4: "RGBA"}.get(channels, f"{channels} bands")
    return Header(
        height,
        width,
        f"{mode} {dtype}" if beyond_8_bits else mode,
        gray=channels not in (3, 4),
        frames=1,
        beyond_8_bits=beyond_8_bits,
        transparent=channels == 4,
        why_not_8_bits=None if dtype in (*BYTES, UINT16) else _kind(dtype),
        bands=None if channels in CHANNELS else Bands(("of no stated meaning",) * channels, NO_COLORS),
    )


def open_image(
    stream: BinaryIO, background: str = "white", alpha: bool = False, bands: tuple[int, ...] = ()
) -> Image.Image:
    """The 8-bit image, as of `decode.open_image`: 16 bits by v / 257. Raises Unreadable for other kinds of numbers."""
    values = _colors(_read(stream), bands)
    if values.dtype == bool:
        values = np.where(values, np.uint8(255), np.uint8(0))
    elif values.dtype == UINT16:
        values = (values.astype(np.uint32) + 128) // 257
    elif values.dtype not in BYTES:
        raise Unreadable(f"{_kind(values.dtype)} (convert to 8 or 16 bits)")
    pixels = np.ascontiguousarray(values, np.uint8)
    return as_8_bit_image(Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels), background, alpha)


def open_values(stream: BinaryIO, background: str = "white", bands: tuple[int, ...] = ()) -> NDArray[np.float32]:
    """[H, W, 1] or [H, W, 3]: the numbers as they are, NaN where they are not finite. Raises Unreadable."""
    values = _colors(_read(stream), bands)
    white = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max) if values.dtype.kind in "ui" else 1.0
    return as_values(without_alpha(values, background, white))


def _colors(values: NDArray[Any], bands: tuple[int, ...]) -> NDArray[Any]:
    if bands:
        return chosen_bands(values, bands)
    if values.shape[2] not in CHANNELS:
        raise Unreadable(f"{values.shape[2]} bands: choose 1 or 3 of them with `bands`")
    return values


def _kind(dtype: np.dtype[Any]) -> str:
    return "floating-point pixels" if dtype.kind == "f" else "32-bit or signed integer pixels"


def _read(stream: BinaryIO) -> NDArray[Any]:
    """[H, W, C]"""
    shape, by_columns, dtype = _described(stream)
    height, width, channels = _as_image(shape)
    wanted = math.prod(shape) * dtype.itemsize
    try:
        content = stream.read(wanted)
    except DAMAGE as error:
        raise unreadable_error(error, first_line(error)) from None
    if len(content) < wanted:
        raise Unreadable("it is cut off")
    values = np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")
    values = values.astype(dtype.newbyteorder("="))
    if values.ndim == 3 and values.shape != (height, width, channels):
        values = values.transpose(1, 2, 0)
    return values.reshape(height, width, channels)


def _described(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
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
    elif len(shape) == 3 and (
        shape[2] in CHANNELS or (shape[0] not in CHANNELS and shape[2] <= min(shape[0], MOST_BANDS))
    ):
        found = shape
    elif len(shape) == 3 and (shape[0] in CHANNELS or shape[0] <= MOST_BANDS):
        found = (*shape[1:], shape[0])
    else:
        words = "x".join(map(str, shape))
        raise Unreadable(
            f"an array of {words:.80}, not of H x W, H x W x C or C x H x W with C of at most {MOST_BANDS}"
        )
    if min(found) < 1 or found[0] * found[1] > MOST_PIXELS:
        raise Unreadable(f"{found[0] * found[1]} pixels, of which there may be 1 to {MOST_PIXELS}")
    height, width, channels = found
    return height, width, channels
