"""Upsample, filter and downsample images: zero insertion, FIR filter, decimation, as one operation.

The plain-torch form is a depthwise convolution (transposed when upsampling), which no zero is ever inserted for.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .fir import aligned_padding
from .implementation import kernels
from .layout import fast_layout

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
        from .upfirdn2d_cuda import upfirdn2d as by_kernel

        if f.device != x.device:
            raise ValueError(f"x is on {x.device} and f on {f.device}: move one of them")
        return by_kernel(x, f, up, down, padding, flip_filter, gain)
    return _Upfirdn.apply(fast_layout(x), f, up, down, padding, flip_filter, gain)


def output_shape(
    x: Tensor, f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int]
) -> tuple[int, int, int, int]:
    """[N, C, H', W'] of x [N, C, H, W] by a filter [n] or [fh, fw]; up, down (x, y), padding (x0, x1, y0, y1)."""
    x0, x1, y0, y1 = padding
    height = (x.shape[2] * up[1] + y0 + y1 - f.shape[0]) // down[1] + 1
    width = (x.shape[3] * up[0] + x0 + x1 - f.shape[-1]) // down[0] + 1
    return x.shape[0], x.shape[1], height, width


class _Upfirdn(torch.autograd.Function):
    """upfirdn2d with a 2-D filter and arguments in their full form.

    Its gradient is itself an upfirdn2d, with up and down exchanged and the filter turned round, so that any order can
    be taken. torch's own second derivative of a depthwise convolution would also compute the filter's gradient, one
    channel at a time.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        f: Tensor,
        up: tuple[int, int],
        down: tuple[int, int],
        padding: tuple[int, int, int, int],
        flip_filter: bool,
        gain: float,
    ) -> Tensor:
        ctx.save_for_backward(f)
        ctx.arguments = (up, down, padding, flip_filter, gain, x.shape)
        return plain_upfirdn2d(x, f, up, down, padding, flip_filter, gain)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        (f,) = ctx.saved_tensors
        up, down, padding, flip_filter, gain, shape = ctx.arguments
        turned = gradient_padding(shape[2:], gradient.shape[2:], f, up, down, padding)
        x_gradient = _Upfirdn.apply(fast_layout(gradient), f, down, up, turned, not flip_filter, gain)
        return x_gradient, None, None, None, None, None, None


def gradient_padding(
    size: Sequence[int],
    output_size: Sequence[int],
    f: Tensor,
    up: Sequence[int],
    down: Sequence[int],
    padding: Sequence[int],
) -> tuple[int, int, int, int]:
    """The padding of the upfirdn2d that is the gradient of another, from the sizes (height, width) of x and result."""
    (height, width), (out_height, out_width), (fh, fw) = size, output_size, f.shape
    x0, _, y0, _ = padding
    right = width * up[0] - out_width * down[0] + x0 - up[0] + 1
    bottom = height * up[1] - out_height * down[1] + y0 - up[1] + 1
    return fw - 1 - x0, right, fh - 1 - y0, bottom


def plain_upfirdn2d(
    x: Tensor,
    f: Tensor,
    up: tuple[int, int],
    down: tuple[int, int],
    padding: tuple[int, int, int, int],
    flip_filter: bool,
    gain: float,
) -> Tensor:
    if gain != 1:
        f = f * gain
    # the CPU has no fast depthwise convolution of half precision with a stride, forward or backward
    slow = x.device.type == "cpu" and x.dtype in (torch.float16, torch.bfloat16) and (up, down) != ((1, 1), (1, 1))
    dtype = torch.float32 if slow else x.dtype
    f = f.to(dtype)
    if up == (1, 1):
        y = _filter_down(x.to(dtype), f if flip_filter else f.flip(0, 1), down, padding)
    else:
        y = _filter_up(x.to(dtype), f.flip(0, 1) if flip_filter else f, up, padding)[:, :, :: down[1], :: down[0]]
    return y.to(x.dtype)


def _depthwise(f: Tensor, channels: int) -> Tensor:
    return f[None, None].expand(channels, 1, *f.shape)


def _filter_down(x: Tensor, f: Tensor, down: tuple[int, int], padding: tuple[int, int, int, int]) -> Tensor:
    """Pad, correlate with f, keep every down-th pixel."""
    x0, x1, y0, y1 = padding
    if x0 != x1 or y0 != y1 or x0 < 0 or y0 < 0:
        x = F.pad(x, padding)
        x0 = y0 = 0
    channels = x.shape[1]
    return F.conv2d(x, _depthwise(f, channels), stride=(down[1], down[0]), padding=(y0, x0), groups=channels)


def _filter_up(x: Tensor, f: Tensor, up: tuple[int, int], padding: tuple[int, int, int, int]) -> Tensor:
    """Insert zeros, pad, convolve with f. The transposed convolution gives all of the result, of which part is kept."""
    (up_x, up_y), (fh, fw), (x0, x1, y0, y1) = up, f.shape, padding
    # what to cut off on each side; negative where zeros must be added
    left, right, top, bottom = fw - 1 - x0, fw - up_x - x1, fh - 1 - y0, fh - up_y - y1
    cut_x, cut_y = max(min(left, right), 0), max(min(top, bottom), 0)
    channels = x.shape[1]
    weight = _depthwise(f, channels)
    x = F.conv_transpose2d(x, weight, stride=(up_y, up_x), padding=(cut_y, cut_x), groups=channels)
    rest = (cut_x - left, cut_x - right, cut_y - top, cut_y - bottom)
    return F.pad(x, rest) if any(rest) else x


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
