"""3x3 convolution by Winograd's minimal filtering, F(4x4, 3x3): Lavin & Gray 2015, arXiv 1509.09308, section 4.

A tile of 4x4 pixels of the result takes 36 products per pair of channels, where the definition takes 144. Worth it in
float32 on a CPU with many channels; rounding errors are then up to 1e-5 of the largest value, 4 to 30 times those of
the direct form. All images are channels-last here, [N, H, W, C], sides multiples of 4, and zeros surround them.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

TILE = 4
POINTS = 6  # in which a tile's polynomials are multiplied: 0, 1, -1, 2, -2 and infinity
CACHED = 2_400_000  # numbers; what is transformed at a time should stay in the cache of the processor
# of the filter's taps at those points, scaled
FILTER_MATRIX = [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
]


def pays(images: int, height: int, width: int, channels: int, out_channels: int) -> bool:
    """Whether the transforms cost less than they save, as measured on two cores, on images of this shape."""
    pixels = images * height * width
    fits = height % TILE == 0 and width % TILE == 0
    return fits and min(channels, out_channels) >= 96 and pixels >= 2048 and pixels * channels * out_channels >= 1e8


def convolve(x: Tensor, w: Tensor) -> Tensor:
    """x [N, H, W, I], w [O, I, 3, 3] -> their cross-correlation [N, H, W, O]."""
    count, height, width, _ = x.shape
    points = _filter_points(w)  # [36, I, O]
    y = x.new_empty(count, height, width, len(w))
    for part in _chunks(x, y):
        products = torch.bmm(_input_points(x[part]), points)
        _collect(products, y[part])
    return y


def weight_gradient(x: Tensor, y: Tensor) -> Tensor:
    """[O, I, 3, 3], the gradient of sum(convolve(x, w) * y) in w: x [N, H, W, I], y [N, H, W, O]."""
    channels, out_channels = x.shape[3], y.shape[3]
    points = x.new_zeros(POINTS**2, channels, out_channels)
    for part in _chunks(x, y):
        points.baddbmm_(_input_points(x[part]).mT, _output_points(y[part]))
    taps = _filter_matrix(x).T @ points.reshape(POINTS**2, -1)
    return taps.reshape(3, 3, channels, out_channels).permute(3, 2, 0, 1)


def _chunks(x: Tensor, y: Tensor) -> list[slice]:
    """Runs of images whose transforms fit the cache."""
    count, height, width, channels = x.shape
    per_image = height * width // TILE**2 * POINTS**2 * max(channels, y.shape[3])
    size = max(1, CACHED // per_image)
    return [slice(first, first + size) for first in range(0, count, size)]


def _filter_matrix(like: Tensor) -> Tensor:
    """[36, 9]: a filter's values at all pairs of points (column by row) from its taps (row by column)."""
    g = torch.tensor(FILTER_MATRIX, dtype=like.dtype, device=like.device)
    return torch.einsum("lb,ka->lkab", g, g).reshape(POINTS**2, 9)


def _filter_points(w: Tensor) -> Tensor:
    """[O, I, 3, 3] -> [36, I, O]."""
    taps = w.permute(2, 3, 1, 0).reshape(9, -1)
    return (_filter_matrix(w) @ taps).reshape(POINTS**2, w.shape[1], w.shape[0])


def _input_points(x: Tensor) -> Tensor:
    """[n, H, W, C] -> [36, tiles, C]: overlapping tiles of 6x6, first by rows, then by columns."""
    count, height, width, channels = x.shape
    down, across = height // TILE, width // TILE
    padded = F.pad(x, (0, 0, 1, 1, 1, 1))
    rows = x.new_empty(POINTS, count, down, width + 2, channels)
    _forward([padded[:, a : a + TILE * (down - 1) + 1 : TILE] for a in range(POINTS)], rows)
    both = x.new_empty(POINTS, POINTS, count, down, across, channels)
    _forward([rows[:, :, :, a : a + TILE * (across - 1) + 1 : TILE] for a in range(POINTS)], both)
    return both.view(POINTS**2, -1, channels)


def _collect(products: Tensor, y: Tensor) -> None:
    """[36, tiles, O] -> y [n, H, W, O], in place."""
    count, height, width, channels = y.shape
    down, across = height // TILE, width // TILE
    rows = y.new_empty(POINTS, count, down, across, TILE, channels)
    _inverse(products.view(POINTS, POINTS, count, down, across, channels).unbind(), rows.unbind(4))
    rows = rows.view(POINTS, count, down, width, channels)
    _inverse(rows.unbind(), y.view(count, down, TILE, width, channels).unbind(2))


def _output_points(y: Tensor) -> Tensor:
    """The transpose of `_collect`: [n, H, W, C] -> [36, tiles, C]."""
    count, height, width, channels = y.shape
    down, across = height // TILE, width // TILE
    rows = y.new_empty(POINTS, count, down, width, channels)
    _inverse_transposed(y.reshape(count, down, TILE, width, channels).unbind(2), rows)
    both = y.new_empty(POINTS, POINTS, count, down, across, channels)
    _inverse_transposed(rows.view(POINTS, count, down, across, TILE, channels).unbind(4), both)
    return both.view(POINTS**2, -1, channels)


# The three transforms along one axis, each the product with a constant matrix, written out: most factors are 0 or 1.


def _forward(d: Sequence[Tensor], out: Tensor) -> None:
    """6 pixels -> 6 points."""
    even, odd = d[4] - d[2], d[3] - d[1]
    torch.add(even, odd, alpha=2, out=out[3])
    torch.sub(even, odd, alpha=2, out=out[4])
    torch.sub(d[0], d[2], out=out[0])
    torch.add(even, out[0], alpha=4, out=out[0])
    torch.sub(d[5], d[3], out=out[5])
    torch.sub(out[5], odd, alpha=4, out=out[5])
    torch.sub(d[4], d[2], alpha=4, out=even)
    torch.sub(d[3], d[1], alpha=4, out=odd)
    torch.add(even, odd, out=out[1])
    torch.sub(even, odd, out=out[2])


def _inverse(m: Sequence[Tensor], out: Sequence[Tensor]) -> None:
    """6 points -> 4 pixels."""
    near, far = m[1] + m[2], m[3] + m[4]
    torch.add(near, far, alpha=4, out=out[2])
    near += far
    torch.add(near, m[0], out=out[0])
    torch.sub(m[1], m[2], out=near)
    torch.sub(m[3], m[4], out=far)
    torch.add(near, far, alpha=2, out=out[1])
    near.add_(far, alpha=8)
    torch.add(near, m[5], out=out[3])


def _inverse_transposed(y: Sequence[Tensor], out: Tensor) -> None:
    """4 pixels -> 6 points."""
    even, odd = y[0] + y[2], y[1] + y[3]
    torch.add(even, odd, out=out[1])
    torch.sub(even, odd, out=out[2])
    torch.add(y[0], y[2], alpha=4, out=even)
    torch.add(y[1], y[3], alpha=4, out=odd)
    torch.add(even, odd, alpha=2, out=out[3])
    torch.sub(even, odd, alpha=2, out=out[4])
    out[0].copy_(y[0])
    out[5].copy_(y[3])
