"""Gray levels to what networks compute with, and back; planes first or channels last. The only place for both."""

from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor

Images = TypeVar("Images", Tensor, NDArray[Any])


def from_uint8(levels: Tensor) -> Tensor:
    """0 ... 255 -> float32 in [-1, 1], of any shape."""
    return levels.float() / 127.5 - 1


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
