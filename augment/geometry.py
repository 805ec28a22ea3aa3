"""General geometric transformations (arXiv 2006.06676, appendix B): scale, rotation, fractional shift, anti-aliased.

An image is upsampled twofold by the sym6 wavelet's lowpass filter, sampled bilinearly, and downsampled by the same
filter. The filter is orthonormal: up, then down, is the identity.
"""

import math

import torch
from torch import Tensor

from ..random import Draws
from .grid_sample import grid_sample
from .mirror import fir_matrix, mirror
from .wavelets import SYM6

SCALE_OCTAVES = 0.2  # standard deviation of log2 of isotropic and of anisotropic scale
SHIFT = 0.125  # standard deviation, of the side
TAPS = len(SYM6)
ROUNDING = 0.01  # pixels; more than any rounding of float32 coordinates
DELAY = sum(k * tap for k, tap in enumerate(SYM6)) / sum(SYM6)  # of low frequencies, in upsampled pixels


def compose(*matrices: Tensor) -> Tensor:
    """The product of matrices [N, d, d]. Not matmul, which a GPU may be allowed to round to TF32: that moves pixels."""
    product = matrices[0]
    for matrix in matrices[1:]:
        product = (product[:, :, :, None] * matrix[:, None, :, :]).sum(2)
    return product


def _rows(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def scale2d(x: Tensor, y: Tensor) -> Tensor:
    """[N, 3, 3] from factors [N]."""
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _rows((x, zero, zero), (zero, y, zero), (zero, zero, one))


def rotate2d(angle: Tensor) -> Tensor:
    """[N, 3, 3] from radians [N], from the x axis (right) to the y axis (down)."""
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return _rows((cos, -sin, zero), (sin, cos, zero), (zero, zero, one))


def translate2d(x: Tensor, y: Tensor) -> Tensor:
    """[N, 3, 3] from shifts [N]."""
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _rows((one, zero, x), (zero, one, y), (zero, zero, one))


def draw_geometry(draws: Draws, p: Tensor, height: int, width: int) -> Tensor:
    """float32 [N, 3, 3]: from a pixel of the result to its source, both (x right, y down, 1) from the image's centre.

    The image is scaled by s, rotated, stretched by a along x and 1/a along y, rotated again, and shifted; log2 of s and
    a are normal with deviation 0.2, angles uniform, shifts normal with deviation 1/8 of the side. Each of the four
    (the rotations as one: either of them) fires with probability p.
    """
    p_rotate = 1 - (1 - p).sqrt()  # of either one, so that p is the probability of at least one
    gates = draws.uniform(5)
    factors = 2 ** (SCALE_OCTAVES * draws.normal(2))
    shifts = SHIFT * draws.normal(2)
    angles = math.pi * (2 * draws.uniform(2) - 1)
    scale = torch.where(gates[:, 0] < p, factors[:, 0], 1)
    before = torch.where(gates[:, 1] < p_rotate, angles[:, 0], 0)
    stretch = torch.where(gates[:, 2] < p, factors[:, 1], 1)
    after = torch.where(gates[:, 3] < p_rotate, angles[:, 1], 0)
    shifts = torch.where(gates[:, 4:] < p, shifts, 0)
    # the inverses, in inverse order: the result's pixels look for their source
    return compose(
        scale2d(1 / scale, 1 / scale),
        rotate2d(-before),
        scale2d(1 / stretch, stretch),
        rotate2d(-after),
        translate2d(-width * shifts[:, 0], -height * shifts[:, 1]),
    )


class Axis(torch.nn.Module):
    """One axis of an image: its filters, and the coordinates of its upsampled pixels.

    Pixel i spreads over the upsampled pixels 2i - 11 ... 2i, and around 2i - DELAY of them: the filter is not quite
    symmetric, so its delay is not the middle, 5.5. With the true delay the image stays where it is when it is turned.
    """

    up: Tensor
    down: Tensor
    position: Tensor

    def __init__(self, length: int):
        super().__init__()
        self.length = length
        self.size = 2 * length + TAPS - 2  # all upsampled pixels that the downsampling filter reads
        first = 1 - TAPS
        down = torch.zeros(length, self.size, dtype=torch.float64)
        for pixel in range(length):
            down[pixel, 2 * pixel : 2 * pixel + TAPS] = torch.tensor(SYM6[::-1], dtype=torch.float64) / math.sqrt(2)
        positions = torch.arange(first, first + self.size)
        up = torch.zeros(self.size, length, dtype=torch.float64)
        # upsampled pixel m takes tap 2i - m from pixel i: of an even m the even taps, of an odd m the odd ones
        for parity in (0, 1):
            rows = positions % 2 == parity
            up[rows] = fir_matrix(SYM6[parity::2], 0, (positions[rows] + parity) // 2, length) * math.sqrt(2)
        self.register_buffer("up", up.float(), persistent=False)  # [size, length]
        self.register_buffer("down", down.float(), persistent=False)  # [length, size]
        position = (positions.double() + DELAY) / 2 - (length - 1) / 2  # in pixels, from the centre
        self.register_buffer("position", position.float(), persistent=False)  # [size]

    def normalise(self, position: Tensor) -> Tensor:
        """Positions in pixels from the centre, as grid_sample wants them for the upsampled image."""
        position = position + (self.length - 1) / 2
        # the upsampled image reaches a little beyond the border: taken as it is, so that the identity is exact there
        start, end = (1 - TAPS + DELAY) / 2, self.length - 1 + DELAY / 2
        inside = (position > start - ROUNDING) & (position < end + ROUNDING)
        position = torch.where(inside, position, mirror(position, self.length))
        return (4 * position + (2 * (TAPS - 1 - DELAY))) / (self.size - 1) - 1


class Warp(torch.nn.Module):
    """Resamples images [N, C, H, W] of one shape by one matrix per image. Linear in the images."""

    def __init__(self, height: int, width: int):
        super().__init__()
        self.x = Axis(width)
        self.y = Axis(height)

    def forward(self, images: Tensor, geometry: Tensor) -> Tensor:
        """geometry: [N, 3, 3] as draw_geometry gives it. images: float32 or float64."""
        dtype = images.dtype
        images = self.y.up.to(dtype) @ images @ self.x.up.to(dtype).T
        images = grid_sample(images, self._grid(geometry.to(dtype)))
        return self.y.down.to(dtype) @ images @ self.x.down.to(dtype).T

    def _grid(self, geometry: Tensor) -> Tensor:
        """[N, h, w, 2] over the upsampled image."""
        m = geometry[:, :, :, None, None]
        x, y = self.x.position, self.y.position[:, None]
        source_x = (m[:, 0, 0] * x + m[:, 0, 2]) + m[:, 0, 1] * y
        source_y = (m[:, 1, 0] * x + m[:, 1, 2]) + m[:, 1, 1] * y
        return torch.stack([self.x.normalise(source_x), self.y.normalise(source_y)], dim=-1)
