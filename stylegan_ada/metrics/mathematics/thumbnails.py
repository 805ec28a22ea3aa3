"""Images made small by means over equal parts: to find copies by, and for small networks to learn from."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_avg_pool2d

from ...pixels import nchw

SIDE = 16  # pixels
LONGEST = 64  # pixels, of small copies
CHUNK = 256  # images read at once


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [N, H, W, C] -> float32 [N, at most 16 * 16 * C]: so small that noise averages out, and what a copy shares
    with its original is left."""
    count, height, width, _ = images.shape
    size = min(height, SIDE), min(width, SIDE)
    rows = []
    for first in range(0, count, CHUNK):
        part = nchw(torch.from_numpy(images[first : first + CHUNK].copy()))
        rows.append(adaptive_avg_pool2d(part.float(), size).flatten(1).numpy())
    return np.concatenate(rows)


def small_copies(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [N, H, W, C] -> uint8 [N, C, h, w], with the longer side at most 64 and the shape kept."""
    height, width = images.shape[1:3]
    scale = min(LONGEST / max(height, width), 1)
    size = max(round(height * scale), 1), max(round(width * scale), 1)
    parts = []
    for first in range(0, len(images), CHUNK):
        part = nchw(torch.from_numpy(images[first : first + CHUNK].copy()))
        parts.append(adaptive_avg_pool2d(part.float(), size).round().to(torch.uint8).numpy())
    return np.concatenate(parts)
