"""Convolution together with FIR-filtered upsampling or downsampling."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .convolution import conv2d, conv_transpose2d
from .fir import aligned_padding
from .layout import fast_layout
from .upfirdn2d import Pair, four_sides, upfirdn2d


def conv2d_resample(
    x: Tensor,
    w: Tensor,
    f: Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: Pair = 0,
    groups: int = 1,
    flip_weight: bool = True,
    flip_filter: bool = False,
) -> Tensor:
    """Insert up - 1 zeros after each pixel, pad, filter by f with gain up^2, convolve with w, keep every down-th pixel.

    x: [N, I, H, W]. w: [O, I // groups, kh, kw], used in x's dtype. f: filter as in upfirdn2d, None for [1]; unused if
    up = down = 1. up, down: at most one of them above 1. padding: int, (x, y) or (x0, x1, y0, y1), counted in pixels of
    the upsampled (or not yet downsampled) image, for the convolution alone: what the filter needs to keep the image in
    place is added to it, so k // 2 gives exactly H * up or H // down for an odd k. flip_weight: True is correlation, as
    in torch, False convolution; flip_filter the same for f. Returns [N, O, H', W'].
    StyleGAN2 (arXiv 1912.04958), appendix B and figure 7. Raises ValueError for a wrong rank or factor.
    """
    if x.ndim != 4 or w.ndim != 4:
        raise ValueError(f"x and w must have 4 dimensions, not shapes {list(x.shape)} and {list(w.shape)}")
    if up < 1 or down < 1 or (up > 1 and down > 1):
        raise ValueError(f"up and down must be at least 1, and one of them 1, not {up} and {down}")
    x, w = fast_layout(x), w.to(x.dtype)
    sides = four_sides(padding)
    if up == 1 and down == 1:
        return _convolve(x, w, 1, sides, groups, flip_weight)
    if f is None:
        f = torch.ones(1, 1, device=x.device)
    extra = aligned_padding(f, (up, up), (down, down))
    x0, x1, y0, y1 = (side + more for side, more in zip(sides, extra, strict=True))
    kh, kw = w.shape[2:]
    no_padding = (0, 0, 0, 0)
    if down > 1:
        # a 1x1 convolution leaves the filter's result pixel by pixel: decimate before it
        early = down if kh == kw == 1 else 1
        width = x.shape[3] + x0 + x1 - f.shape[-1] + 1
        # a column that the last stride does not take in
        extra_x = _to_even(x, width) if early == 1 and (width - kw) % down < down - 1 else 0
        x = upfirdn2d(x, f, down=early, padding=(x0, x1 + extra_x, y0, y1), flip_filter=flip_filter)
        return _convolve(x, w, down // early, no_padding, groups, flip_weight)
    if kh == kw == 1:
        x = _convolve(x, w, 1, no_padding, groups, flip_weight)
        return upfirdn2d(x, f, up=up, padding=(x0, x1, y0, y1), flip_filter=flip_filter, gain=up**2)
    # convolutions commute: the transposed convolution first, on the small image, then the filter
    extra_x = _to_even(x, (x.shape[3] - 1) * up + kw)
    x = _convolve_up(x, w, up, groups, flip_weight, extra_x)
    rest = (x0 - kw + 1, x1 - kw + up - extra_x, y0 - kh + 1, y1 - kh + up)
    return upfirdn2d(x, f, padding=rest, flip_filter=flip_filter, gain=up**2)


def _convolve(
    x: Tensor, w: Tensor, stride: int, padding: tuple[int, int, int, int], groups: int, flip_weight: bool
) -> Tensor:
    x0, x1, y0, y1 = padding
    if x0 != x1 or y0 != y1 or x0 < 0 or y0 < 0:
        x = F.pad(x, padding)
        x0 = y0 = 0
    if not flip_weight:
        w = w.flip(2, 3)
    return conv2d(x, w, stride, (y0, x0), groups)


def _to_even(x: Tensor, width: int) -> int:
    """Columns to add to what lies between filter and convolution, so that a GPU reads and writes its rows in pairs. (On
    a CPU it is channels that lie side by side.)"""
    return width % 2 if x.is_cuda else 0


def _convolve_up(x: Tensor, w: Tensor, up: int, groups: int, flip_weight: bool, extra_x: int) -> Tensor:
    """Insert zeros and convolve, keeping all that is not zero by construction: [N, O, (H - 1) * up + kh, ...], with
    extra_x columns of zeros at the right."""
    if flip_weight:
        w = w.flip(2, 3)
    # [O, I / groups, ...] to torch's layout of transposed weights, [I, O / groups, ...]
    w = w.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    return conv_transpose2d(x, w, up, groups, extra_x)
