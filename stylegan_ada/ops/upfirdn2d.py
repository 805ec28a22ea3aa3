"""Upsample, filter and downsample images: zero insertion, FIR filter, decimation, as one operation."""

from collections.abc import Sequence

from torch import Tensor

from .fir import aligned_padding
from .implementation import kernels
from .upfirdn2d_cuda import upfirdn2d as by_kernel
from .upfirdn2d_reference import output_shape
from .upfirdn2d_reference import upfirdn2d as by_reference

Pair = int | Sequence[int]


def pair(value: Pair, name: str) -> tuple[int, int]:
    """A factor as (x, y), each at least 1. Raises ValueError."""
    both = (value, value) if isinstance(value, int) else tuple(value)
    if len(both) != 2 or min(both) < 1:
        raise ValueError(f"{name} must be one or two numbers, at least 1, not {value}")
    return both[0], both[1]


def four_sides(padding: Pair) -> tuple[int, int, int, int]:
    """A padding given as int, (x, y) or (x0, x1, y0, y1), as (x0, x1, y0, y1). Raises ValueError."""
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 2:
        x, y = padding
        return x, x, y, y
    if len(padding) == 4:
        x0, x1, y0, y1 = padding
        return x0, x1, y0, y1
    raise ValueError(f"padding must be an int, (x, y) or (x0, x1, y0, y1), not {padding}")


def upfirdn2d(
    x: Tensor,
    f: Tensor,
    up: Pair = 1,
    down: Pair = 1,
    padding: Pair = 0,
    flip_filter: bool = False,
    gain: float = 1,
) -> Tensor:
    """Upsample by inserting zeros, pad, apply a FIR filter, keep every `down`-th pixel.

    x: [N, C, H, W], any floating dtype. f: filter, [fh, fw], or 1-D [n] for a separable one, applied along both axes;
    used in x's dtype, and taken as constant: it gets no gradient. up, down: int or (x, y); each pixel is followed by
    up - 1 zeros. padding: zeros around the upsampled image as int, (x, y) or (x0, x1, y0, y1); negative numbers crop.
    flip_filter: False is convolution, True correlation. gain scales the result.
    Returns [N, C, (H * up_y + y0 + y1 - fh) // down_y + 1, and so for W].
    Raises ValueError for a wrong rank, a factor below 1, or an output without pixels.
    """
    if x.ndim != 4:
        raise ValueError(f"x must be [N, C, H, W], not of shape {list(x.shape)}")
    if f.ndim not in (1, 2) or f.numel() == 0:
        raise ValueError(f"f must be a filter [n] or [fh, fw], not of shape {list(f.shape)}")
    up_x, up_y = pair(up, "up")
    down_x, down_y = pair(down, "down")
    x0, x1, y0, y1 = four_sides(padding)
    _, _, height, width = output_shape(x, f, (up_x, up_y), (down_x, down_y), (x0, x1, y0, y1))
    if height < 1 or width < 1:
        raise ValueError(f"the output would be {height}x{width} (height x width): enlarge x or padding, or shorten f")
    if f.ndim == 1:
        x = _apply(x, f[None, :], (up_x, 1), (down_x, 1), (x0, x1, 0, 0), flip_filter, gain)
        return _apply(x, f[:, None], (1, up_y), (1, down_y), (0, 0, y0, y1), flip_filter, 1)
    return _apply(x, f, (up_x, up_y), (down_x, down_y), (x0, x1, y0, y1), flip_filter, gain)


def _apply(
    x: Tensor,
    f: Tensor,
    up: tuple[int, int],
    down: tuple[int, int],
    padding: tuple[int, int, int, int],
    flip_filter: bool,
    gain: float,
) -> Tensor:
    if kernels.serve(x):
        if f.device != x.device:
            raise ValueError(f"x is on {x.device} and f on {f.device}: move one of them")
        return by_kernel(x, f, up, down, padding, flip_filter, gain)
    return by_reference(x, f, up, down, padding, flip_filter, gain)


def upsample2d(x: Tensor, f: Tensor, up: Pair = 2, gain: float = 1) -> Tensor:
    """Upsample x [N, C, H, W] to exactly [N, C, H * up, W * up], keeping its mean for a filter f that sums to 1."""
    up_x, up_y = pair(up, "up")
    padding = aligned_padding(f, up=(up_x, up_y))
    return upfirdn2d(x, f, up=(up_x, up_y), padding=padding, gain=gain * up_x * up_y)


def downsample2d(x: Tensor, f: Tensor, down: Pair = 2) -> Tensor:
    """Filter x [N, C, H, W] and keep every down-th pixel: [N, C, H // down, W // down]."""
    down = pair(down, "down")
    return upfirdn2d(x, f, down=down, padding=aligned_padding(f, down=down))


def filter2d(x: Tensor, f: Tensor) -> Tensor:
    """Filter x [N, C, H, W] with f, zeros around the border; the output has x's shape."""
    return upfirdn2d(x, f, padding=aligned_padding(f))
