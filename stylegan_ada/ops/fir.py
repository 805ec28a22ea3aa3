"""FIR filters: making them, and the padding that keeps an image in place."""

from collections.abc import Sequence

import torch
from torch import Tensor

MAX_2D_TAPS = 7  # a longer filter is applied along one axis, then along the other


def setup_filter(taps: Sequence[float] | Sequence[Sequence[float]] | Tensor) -> Tensor:
    """A float32 filter for upfirdn2d, scaled to sum to 1, from 1-D or 2-D taps.

    1-D taps [n] give their outer product [n, n] if they are few (n <= 7), which one convolution applies at once, and
    stay [n], to be applied along each axis, if they are many. Raises ValueError for another rank, or a sum of 0.
    """
    f = torch.as_tensor(taps, dtype=torch.float64)
    if f.ndim not in (1, 2) or f.numel() == 0:
        raise ValueError(f"taps must be [n] or [fh, fw], not of shape {list(f.shape)}")
    total = float(f.sum())
    if total == 0:
        raise ValueError("taps sum to 0, so they cannot be scaled to sum to 1")
    f = f / total
    if f.ndim == 1 and len(f) <= MAX_2D_TAPS:
        f = f.outer(f)
    return f.float()


def aligned_padding(
    f: Tensor, up: tuple[int, int] = (1, 1), down: tuple[int, int] = (1, 1)
) -> tuple[int, int, int, int]:
    """The padding (x0, x1, y0, y1) with which upfirdn2d neither shifts the image nor makes it larger than H * up or
    H // down. up or down, each (x, y), must be 1."""
    x0, x1 = _along_axis(f.shape[-1], up[0], down[0])
    y0, y1 = _along_axis(f.shape[0], up[1], down[1])
    return x0, x1, y0, y1


def _along_axis(taps: int, up: int, down: int) -> tuple[int, int]:
    # A pixel covers `up` pixels of the upsampled image: its middle moves by (up - 1) / 2, the filter's is at
    # (taps - 1) / 2. A pixel that remains after decimation stands for the middle of `down` pixels, in the same way.
    total = taps - 1 if up > 1 else taps - down
    before = (taps + up - 1) // 2 if up > 1 else (total + 1) // 2
    return before, total - before
