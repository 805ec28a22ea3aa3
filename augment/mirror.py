"""The image continued beyond its border: mirrored about the centres of its outermost pixels, without end."""

from collections.abc import Sequence

import torch
from torch import Tensor


def mirror(x: Tensor, length: int) -> Tensor:
    """Fold pixel coordinates or indices (float or int, any shape) into [0, length - 1], as numpy's pad mode "reflect".

    length: at least 2.
    """
    last = length - 1
    return last - (last - x.remainder(2 * last)).abs()


def fir_matrix(taps: Sequence[float], first: int, positions: Tensor, length: int) -> Tensor:
    """A FIR filter on a mirrored axis of `length` pixels, as a matrix: float64 [len(positions), length].

    Row r gives sum_k taps[k] * x[mirror(positions[r] + first + k)]. positions: int64. On an axis of fixed length this
    is one matrix product, which is faster than a padded convolution on a CPU and has every derivative.
    """
    offsets = torch.arange(first, first + len(taps))
    source = mirror(positions[:, None] + offsets, length)  # [rows, taps]
    weights = torch.tensor(taps, dtype=torch.float64).expand(len(positions), -1)
    return torch.zeros(len(positions), length, dtype=torch.float64).scatter_add_(1, source, weights)
