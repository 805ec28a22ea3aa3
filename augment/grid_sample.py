"""Bilinear sampling that can be differentiated with respect to the image any number of times.

torch's own grid_sample lacks a second derivative before 2.13. Sampling is linear in the image, so that its backward
(scattering) and the backward of that (sampling again) close the circle. There is no gradient for the grid.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

BILINEAR, BORDER, ALIGN_CORNERS = 0, 1, True


class _Sample(Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.shape = images.shape
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=ALIGN_CORNERS)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Scatter.apply(gradient, *ctx.saved_tensors, ctx.shape), None


class _Scatter(Function):
    """The transpose of _Sample."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, grid: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        images = gradient.new_zeros(shape)  # only its shape counts: the grid's gradient is not asked for
        backward = torch.ops.aten.grid_sampler_2d_backward
        return backward(gradient, images, grid, BILINEAR, BORDER, ALIGN_CORNERS, (True, False))[0]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _Sample.apply(gradient, *ctx.saved_tensors), None, None


def grid_sample(images: Tensor, grid: Tensor) -> Tensor:
    """Sample images [N, C, H, W] at grid [N, h, w, 2], (x, y) in [-1, 1] from the first to the last pixel's centre.

    Returns [N, C, h, w]. Beyond the border the nearest pixel serves. images and grid share a dtype.
    """
    return _Sample.apply(images, grid)
