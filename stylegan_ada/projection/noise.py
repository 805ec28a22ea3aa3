"""Noise maps that are optimised and yet stay noise. StyleGAN2 (arXiv 1912.04958), appendix D."""

import torch
import torch.nn.functional as F
from torch import Tensor

Shapes = list[tuple[int, int]]
SMALLEST = 8  # pixels a side of the coarsest scale


def noise_regularisation(noise: Tensor, shapes: Shapes) -> Tensor:
    """[N]: over maps and scales, the sum of the squared means of products of horizontal and of vertical neighbours,
    which for white noise are about zero (the equation of L_ij in appendix D; neighbours wrap round).

    noise: [N, noise_size], maps of `shapes` one after another. A scale is the one above averaged over 2x2 and doubled,
    down to 8 pixels a side.
    """
    total = noise.new_zeros(len(noise))
    for part in _maps(noise, shapes):
        scale = part
        while True:
            for dim in (2, 3):
                total = total + (scale * scale.roll(1, dim)).mean(dim=(1, 2, 3)).square()
            if min(scale.shape[2:]) // 2 < SMALLEST:
                break
            scale = F.avg_pool2d(scale, 2) * 2
    return total


@torch.no_grad()
def normalize_noise(noise: Tensor, shapes: Shapes) -> None:
    """Gives every map of every image zero mean and unit variance, in place."""
    for part in _maps(noise, shapes):
        part -= part.mean(dim=(2, 3), keepdim=True)
        part *= part.square().mean(dim=(2, 3), keepdim=True).clamp(min=1e-16).rsqrt()


def _maps(noise: Tensor, shapes: Shapes) -> list[Tensor]:
    """Views [N, 1, H, W]."""
    parts = noise.split([height * width for height, width in shapes], dim=1)
    return [part.view(-1, 1, *shape) for part, shape in zip(parts, shapes, strict=True)]
