"""Colour transformations (arXiv 2006.06676, appendix B), composed into one affine map of the colour space [-1, 1]^d.

RGB images have d = 3. RGBA images have d = 4: their colours, which are multiplied by alpha, change as those of an RGB
image do, and alpha stays. Others have d = 1: every channel takes the same map, in which hue and saturation have no
meaning.
"""

import math

import torch
from torch import Tensor

from ..random import Draws
from .geometry import compose

BRIGHTNESS = 0.2  # standard deviation of the offset, where white is 2 above black
CONTRAST_OCTAVES = 0.5  # standard deviation of log2 of the factor
SATURATION_OCTAVES = 1.0


def color_dimensions(channels: int) -> int:
    """The number of channels of a colour: 3 in RGB and RGBA images, else 1."""
    return 3 if channels in (3, 4) else 1


def draw_color(draws: Draws, p: Tensor, channels: int) -> Tensor:
    """float32 [N, d + 1, d + 1], homogeneous: brightness, contrast, luma flip, then, in RGB(A), hue and saturation.

    Each fires with probability p. A fired luma flip (a reflection that exchanges black and white, keeping hue) still
    leaves half of the images as they are.
    """
    d = color_dimensions(channels)
    gates = draws.uniform(5) < p
    normal = draws.normal(3)
    uniform = draws.uniform(2)
    brightness = torch.where(gates[:, 0], BRIGHTNESS * normal[:, 0], 0)
    contrast = torch.where(gates[:, 1], 2 ** (CONTRAST_OCTAVES * normal[:, 1]), 1)
    flip = torch.where(gates[:, 2], (2 * uniform[:, 0]).floor(), 0)
    hue = torch.where(gates[:, 3], math.pi * (2 * uniform[:, 1] - 1), 0)
    saturation = torch.where(gates[:, 4], 2 ** (SATURATION_OCTAVES * normal[:, 2]), 1)
    # every map is the identity plus an amount times a direction, so that an amount of 0 is exactly the identity
    eye = torch.eye(d + 1, device=draws.device)
    offset, colors, luma = torch.zeros_like(eye), eye.clone(), torch.zeros_like(eye)
    offset[:d, d] = 1
    colors[d, d] = 0
    luma[:d, :d] = 1 / d  # projects onto the gray axis
    steps = [
        eye + _times(brightness, offset),
        eye + _times(contrast - 1, colors),
        eye - _times(2 * flip, luma),
    ]
    if d == 3:
        cross = torch.zeros_like(eye)  # the cross product with the gray axis
        cross[:3, :3] = (eye[:3, :3].roll(1, 0) - eye[:3, :3].roll(-1, 0)) / math.sqrt(3)
        chroma = colors - luma
        # Rodrigues' formula
        steps.append(eye + _times(hue.sin(), cross) - _times(1 - hue.cos(), chroma))
        steps.append(eye + _times(saturation - 1, chroma))
    color = compose(*reversed(steps))
    return _beside_alpha(color) if channels == 4 else color


def _beside_alpha(color: Tensor) -> Tensor:
    """[N, 4, 4] of colours c -> [N, 5, 5], the same of RGBA whose colours are multiplied by alpha a.

    From 0 to 1 a colour c becomes M c + o, so that a c becomes M (a c) + a o: the offset is a column for alpha. In
    [-1, 1], o is (1 + b - M 1) / 2, and 0 lies at -1.
    """
    linear, offset = color[:, :3, :3], color[:, :3, 3]
    row_sums = linear.sum(2)
    black = 1 + offset - row_sums  # what black becomes, above black
    result = torch.eye(5, device=color.device).repeat(len(color), 1, 1)
    result[:, :3, :3] = linear
    result[:, :3, 3] = black / 2
    result[:, :3, 4] = row_sums + black / 2 - 1
    return result


def _times(amount: Tensor, direction: Tensor) -> Tensor:
    return amount[:, None, None] * direction


def apply_color(images: Tensor, color: Tensor) -> Tensor:
    """Map the colours of images [N, C, H, W], float32 or float64, by matrices as draw_color gives them."""
    d = color.shape[1] - 1
    color = color.to(images.dtype)
    colors = images.reshape(len(images), d, -1)
    return torch.baddbmm(color[:, :d, d:], color[:, :d, :d], colors).reshape(images.shape)
