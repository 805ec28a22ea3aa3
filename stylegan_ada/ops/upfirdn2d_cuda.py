"""upfirdn2d with a 2-D filter as one kernel. Its gradient is itself one, to any order."""

from ctypes import c_double, c_float, c_int32, c_uint32, c_uint64
from math import gcd
from typing import Any

import torch
from torch import Tensor

from . import nvrtc
from .implementation import kernels
from .layout import dense
from .operator import Operator
from .upfirdn2d_reference import gradient_padding, output_shape, plain_upfirdn2d

UNROLLED_TAPS = 36  # a filter of more is applied by a loop
UNROLLED_FACTOR = 4  # and so are larger factors
PACK_BYTES = 16
THREADS = 128  # of a block
PATCH_ROWS = 8  # of the output, that a thread computes one after another


def _upfirdn2d(
    x: Tensor, f: Tensor, up: list[int], down: list[int], padding: list[int], flip_filter: bool, gain: float
) -> Tensor:
    """x [N, C, H, W], f [fh, fw], up and down (x, y), padding (x0, x1, y0, y1); as stylegan_ada.ops.upfirdn2d."""
    x, f = dense(x), f.to(torch.float64 if x.dtype == torch.float64 else torch.float32).contiguous()
    out = _empty(x, f, up, down, padding)
    if _run(out, x, f, up, down, padding, flip_filter, gain):
        return out
    return plain_upfirdn2d(x, f, (up[0], up[1]), (down[0], down[1]), _four(padding), flip_filter, gain)


def _four(padding: list[int]) -> tuple[int, int, int, int]:
    x0, x1, y0, y1 = padding
    return x0, x1, y0, y1


def channels_last(x: Tensor) -> bool:
    """Whether channels lie last; False for a single channel, whose layouts are the same."""
    return not x.is_contiguous()


def _empty(x: Tensor, f: Tensor, up: list[int], down: list[int], padding: list[int]) -> Tensor:
    layout = torch.channels_last if channels_last(x) else torch.contiguous_format
    return torch.empty(output_shape(x, f, up, down, padding), dtype=x.dtype, device=x.device, memory_format=layout)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, f, *ctx.arguments = inputs
    ctx.save_for_backward(f)
    ctx.size = x.shape[2:]


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    (f,) = ctx.saved_tensors
    up, down, padding, flip_filter, gain = ctx.arguments
    turned = gradient_padding(ctx.size, gradient.shape[2:], f, up, down, padding)
    return upfirdn2d(gradient, f, down, up, list(turned), not flip_filter, gain), None, None, None, None, None, None


def _fake(x: Tensor, f: Tensor, up: list[int], down: list[int], padding: list[int], *_: Any) -> Tensor:
    return _empty(dense(x), f, up, down, padding)


upfirdn2d = Operator("upfirdn2d", _upfirdn2d, _fake, _keep, _backward)


def _run(
    out: Tensor,
    x: Tensor,
    f: Tensor,
    up: list[int],
    down: list[int],
    padding: list[int],
    flip_filter: bool,
    gain: float,
) -> bool:
    if out.numel() == 0:
        return True
    _, channels, height, width = x.shape
    out_height, out_width = out.shape[2:]
    large = max(x.numel(), out.numel()) > 2**31
    constants = [
        ("CHANNELS_LAST", int(channels_last(x))),
        ("FLIP", int(flip_filter)),
        ("INDEX", "unsigned long long" if large else "unsigned"),
    ]
    unrolled = f.numel() <= UNROLLED_TAPS and max(*up, *down) <= UNROLLED_FACTOR
    more: list[nvrtc.Argument]
    if unrolled:
        patch_constants, threads = _patches(out, x, up, down)
        taps = [("TAPS_X", f.shape[1]), ("TAPS_Y", f.shape[0]), ("PAD_X", padding[0]), ("PAD_Y", padding[2])]
        constants += [*patch_constants, *taps]
        name, more = "upfirdn2d", []
    else:
        threads = out.numel()
        constants += [("VEC", 1)]
        name = "upfirdn2d_any"
        more = [c_int32(n) for n in (*up, *down, padding[0], padding[2], f.shape[1], f.shape[0])]
    number = c_double if x.dtype == torch.float64 else c_float
    count = (c_uint64 if large else c_uint32)(threads)
    sizes = [c_int32(n) for n in (channels, height, width, out_height, out_width)]
    kernel = nvrtc.Kernel(name, x.dtype, THREADS, tuple(constants))
    return kernels.run(kernel, threads, [out, x, f, number(gain), count, *sizes, *more], x.device)


def _patches(out: Tensor, x: Tensor, up: list[int], down: list[int]) -> tuple[list[tuple[str, str | int]], int]:
    """The constants of the unrolled kernel that say what a thread takes, and how many threads that makes."""
    images, channels, height, width = out.shape
    full = PACK_BYTES // x.element_size()
    aligned = x.data_ptr() % PACK_BYTES == out.data_ptr() % PACK_BYTES == 0
    # patches must be whole periods of the phases, which repeat after up / gcd(up, down) pixels of the output
    period_x, period_y = (u // gcd(u, d) for u, d in zip(up, down, strict=True))
    if channels_last(x):
        vec = min(full, 4) if aligned and channels % min(full, 4) == 0 else 1
        patch_x = period_x * max(1, 2 // period_x)
        constants: list[tuple[str, str | int]] = [("VEC", vec)]
        lanes = channels // vec
    else:
        # at most two packs a thread, of a size that divides both rows: threads further apart touch more cache lines
        pixels = min(full, 2 * gcd(x.shape[3], width, full)) if aligned else 2
        patch_x = period_x * max(1, pixels // period_x)
        step = patch_x * down[0] // up[0]
        vec = gcd(step, x.shape[3], full) if aligned else 1
        out_vec = gcd(patch_x, width, full) if aligned else 1
        constants = [("VEC", vec), ("OUT_VEC", out_vec)]
        lanes = channels
    patch_y = period_y * max(1, PATCH_ROWS // period_y)
    constants += [("PATCH_X", patch_x), ("PATCH_Y", patch_y)]
    constants += [("UP_X", up[0]), ("UP_Y", up[1]), ("DOWN_X", down[0]), ("DOWN_Y", down[1])]
    return constants, images * lanes * -(-height // patch_y) * -(-width // patch_x)
