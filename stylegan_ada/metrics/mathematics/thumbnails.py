"""Images made so small that noise averages out: what a copy still shares with its original."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_avg_pool2d

from ...pixels import nchw

SIDE = 16  # pixels
CHUNK = 256  # images read at once


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [N, H, W, C] -> float32 [N, at most 16 * 16 * C]: means over equal parts of the image."""
    count, height, width, _ = images.shape
    size = min(height, SIDE), min(width, SIDE)
    rows = []
    for first in range(0, count, CHUNK):
        part = nchw(torch.from_numpy(images[first : first + CHUNK].copy()))
        rows.append(adaptive_avg_pool2d(part.float(), size).flatten(1).numpy())
    return np.concatenate(rows)
