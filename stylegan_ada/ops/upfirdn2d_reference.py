"""upfirdn2d with a 2-D filter in plain torch: what serves without a kernel, and the shapes of results and gradients.

It is a depthwise convolution (transposed when upsampling), which no zero is ever inserted for.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .layout import fast_layout


def output_shape(
    x: Tensor, f: Tensor, up: Sequence[int], down: Sequence[int], padding: Sequence[int]
) -> tuple[int, int, int, int]:
    """[N, C, H', W'] of x [N, C, H, W] by a filter [n] or [fh, fw]; up, down (x, y), padding (x0, x1, y0, y1)."""
    x0, x1, y0, y1 = padding
    height = (x.shape[2] * up[1] + y0 + y1 - f.shape[0]) // down[1] + 1
    width = (x.shape[3] * up[0] + x0 + x1 - f.shape[-1]) // down[0] + 1
    return x.shape[0], x.shape[1], height, width


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


def upfirdn2d(
    x: Tensor,
    f: Tensor,
    up: tuple[int, int],
    down: tuple[int, int],
    padding: tuple[int, int, int, int],
    flip_filter: bool,
    gain: float,
) -> Tensor:
    """x [N, C, H, W], f [fh, fw], up and down (x, y), padding (x0, x1, y0, y1); as stylegan_ada.ops.upfirdn2d.
    Differentiable to any order."""
    return _Upfirdn.apply(fast_layout(x), f, up, down, padding, flip_filter, gain)


class _Upfirdn(torch.autograd.Function):
    """Its gradient is itself an upfirdn2d, with up and down exchanged and the filter turned round, so that any order
    can be taken. torch's own second derivative of a depthwise convolution would also compute the filter's gradient, one
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
        x_gradient = upfirdn2d(gradient, f, down, up, turned, not flip_filter, gain)
        return x_gradient, None, None, None, None, None, None


def plain_upfirdn2d(
    x: Tensor,
    f: Tensor,
    up: tuple[int, int],
    down: tuple[int, int],
    padding: tuple[int, int, int, int],
    flip_filter: bool,
    gain: float,
) -> Tensor:
    """Computes `upfirdn2d` with torch's own derivatives."""
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
