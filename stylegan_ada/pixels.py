"""Gray levels to what networks compute with, and back; planes first or channels last. The only place for both."""

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Images = TypeVar("Images", Tensor, NDArray[Any])


def from_uint8(levels: Tensor) -> Tensor:
    """0 ... 255 -> float32 in [-1, 1], of any shape."""
    return levels.float() / 127.5 - 1


def from_uint16(levels: Tensor) -> Tensor:
    """uint16 0 ... 65535 -> float32 in [-1, 1], of any shape."""
    return levels.float() / 32767.5 - 1


def to_uint16(images: Tensor) -> Tensor:
    """[-1, 1] -> int32 0 ... 65535, rounded and clamped, of any shape: torch computes little in uint16."""
    return (images * 32767.5 + 32767.5).round().clamp(0, 65535).to(torch.int32)


def to_levels(images: Tensor) -> Tensor:
    """[-1, 1] -> 0 ... 255 of the same dtype, neither rounded nor clamped, of any shape."""
    return images * 127.5 + 127.5


def to_uint8(images: Tensor) -> Tensor:
    """[-1, 1] -> uint8 0 ... 255, rounded and clamped, of any shape."""
    return to_levels(images).round().clamp(0, 255).to(torch.uint8)


def nhwc(images: Images) -> Images:
    """[N, C, H, W] -> [N, H, W, C], a view."""
    return images.permute(0, 2, 3, 1) if isinstance(images, Tensor) else images.transpose(0, 2, 3, 1)


def nchw(images: Images) -> Images:
    """[N, H, W, C] -> [N, C, H, W], a view."""
    return images.permute(0, 3, 1, 2) if isinstance(images, Tensor) else images.transpose(0, 3, 1, 2)


def in_units(levels: NDArray[np.integer], window: tuple[float, float]) -> NDArray[Any]:
    """Levels 0 ... 65535 as values of images whose window is (low, high), of any shape: uint16 where low and high are
    whole numbers of its range, else float32."""
    low, high = window
    values = low + levels * ((high - low) / 65535)
    dtype = dtype_in_units(window)
    return (values.round() if dtype == np.uint16 else values).astype(dtype)


def dtype_in_units(window: tuple[float, float]) -> np.dtype[Any]:
    """The dtype of the values that `in_units` gives."""
    low, high = window
    whole = low >= 0 and high <= 65535 and low.is_integer() and high.is_integer()
    return np.dtype(np.uint16 if whole else np.float32)


def to_window(values: NDArray[Any], window: tuple[float, float]) -> NDArray[np.uint16]:
    """Values in units -> levels 0 ... 65535, rounded and clamped, of any shape. The other way round."""
    low, high = window
    return ((values.astype(np.float64) - low) * (65535 / (high - low))).round().clip(0, 65535).astype(np.uint16)


def as_8_bits(images: NDArray[Any], window: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Images in units of a window, or uint8 ones, in 8 bits."""
    return images if images.dtype == np.uint8 or window is None else in_8_bits(to_window(images, window))


def in_8_bits(levels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Levels 0 ... 65535 -> 0 ... 255, rounded: what is shown and measured of such images."""
    return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def oriented(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """[H, W, ...] as it is to be shown, by the numbers 1 to 8 of TIFF and EXIF; others change nothing."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array
