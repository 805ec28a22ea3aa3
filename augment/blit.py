"""Pixel blitting (arXiv 2006.06676, appendix B): flips, quarter turns, integer shifts. Values stay."""

import torch
from torch import Tensor

from ..random import Draws
from .mirror import mirror

MAX_SHIFT = 0.125  # of the side


def draw_blit(draws: Draws, p: Tensor, height: int, width: int) -> Tensor:
    """int64 [N, 4]: mirrored left to right (0 or 1), quarter turns counterclockwise (0 to 3), shift right, shift down.

    Each of flip, turn and shift fires with probability p; its value may then still be the identity. An image that is
    not square takes half turns only. Shifts are in pixels, up to 1/8 of the side.
    """
    gates = draws.uniform(3) < p
    values = draws.uniform(4)
    flip = (2 * values[:, 0]).floor()
    turns = (4 * values[:, 1]).floor() if height == width else 2 * (2 * values[:, 1]).floor()
    right = ((2 * values[:, 2] - 1) * (MAX_SHIFT * width)).round()
    down = ((2 * values[:, 3] - 1) * (MAX_SHIFT * height)).round()
    fired = torch.cat([gates, gates[:, 2:]], dim=1)
    return torch.where(fired, torch.stack([flip, turns, right, down], dim=1), 0).long()


def apply_blit(images: Tensor, blit: Tensor) -> Tensor:
    """Flip, then turn, then shift images [N, C, H, W]; mirrored pixels fill up the border. Bit-exact."""
    count, channels, height, width = images.shape
    flip, turns, right, down = blit[:, :, None, None].unbind(1)  # each [N, 1, 1]
    # from each pixel of the result back to its source; coordinates from the centre are doubled, to stay integers
    x = 2 * (torch.arange(width, device=images.device) - right) - (width - 1)
    y = 2 * (torch.arange(height, device=images.device)[:, None] - down) - (height - 1)
    cos, sin = (1 - turns % 2) * (1 - turns), (turns % 2) * (2 - turns)
    x, y = cos * x - sin * y, sin * x + cos * y
    x = (1 - 2 * flip) * x
    x = mirror((x + (width - 1)) // 2, width)
    y = mirror((y + (height - 1)) // 2, height)
    index = (y * width + x).reshape(count, 1, -1).expand(-1, channels, -1)
    return images.flatten(2).gather(2, index).reshape(images.shape)
