"""Images as they are augmented, shown and read."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..datasets import ImageDataset
from ..pixels import from_uint8, nhwc, to_uint8


def real_images(dataset: ImageDataset, most: int) -> Tensor:
    """Images spread evenly over the set, float32 [N, C, H, W] in [-1, 1]."""
    chosen = np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(np.int64)
    return from_uint8(torch.from_numpy(dataset.images[chosen]))


def as_pixels(images: Tensor) -> NDArray[np.uint8]:
    """[N, C, H, W] in [-1, 1] -> uint8 [N, H, W, C]."""
    return nhwc(to_uint8(images)).cpu().numpy()


def as_rows(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[N, H, W, C] -> [N, H * W * C], from 0 to 255."""
    return pixels.reshape(len(pixels), -1).astype(np.float32)
