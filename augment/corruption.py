"""Corruptions (arXiv 2006.06676, appendix B): additive noise and cutout."""

import torch
from torch import Tensor

from ..random import Draws

NOISE = 0.1  # standard deviation of the normal distribution whose absolute value is the noise's own deviation
CUTOUT = 0.5  # side of the rectangle, of the image's side


def draw_noise(draws: Draws, p: Tensor, image_shape: tuple[int, int, int]) -> Tensor:
    """float32 [N, C, H, W] to be added: white, of half-normal deviation with scale 0.1; 0 with probability 1 - p."""
    fired = draws.uniform() < p
    deviation = torch.where(fired, NOISE * draws.normal().abs(), 0)
    return deviation[:, None, None, None] * draws.normal(*image_shape)


def draw_cutout(draws: Draws, p: Tensor, height: int, width: int) -> Tensor:
    """int64 [N, 4]: a rectangle's left, right, top, bottom; pixels from left and top on, up to before right and bottom.

    Half as wide and high as the image, its centre uniform over the image; empty with probability 1 - p.
    """
    fired = draws.uniform() < p
    centre_x, centre_y = draws.uniform(2).unbind(1)
    edges = [
        (centre_x - CUTOUT / 2) * width,
        (centre_x + CUTOUT / 2) * width,
        (centre_y - CUTOUT / 2) * height,
        (centre_y + CUTOUT / 2) * height,
    ]
    return torch.where(fired[:, None], torch.stack(edges, dim=1).round(), 0).long()


def apply_cutout(images: Tensor, cutout: Tensor) -> Tensor:
    """Set the rectangles in images [N, C, H, W] to 0, which is mid-gray."""
    left, right, top, bottom = cutout[:, :, None, None, None].unbind(1)  # each [N, 1, 1, 1]
    x = torch.arange(images.shape[3], device=images.device)
    y = torch.arange(images.shape[2], device=images.device)[:, None]
    inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    return torch.where(inside, 0, images)
