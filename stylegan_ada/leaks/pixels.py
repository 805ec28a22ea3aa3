"""Images as they are augmented, shown and read."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..datasets import ImageDataset
from ..sampling import to_uint8


def real_images(dataset: ImageDataset, most: int) -> Tensor:
    """Images spread evenly over the set, float32 [N, C, H, W] in [-1, 1]."""
    chosen = np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(np.int64)
    return torch.from_numpy(dataset.images[chosen]).float() / 127.5 - 1


def as_pixels(images: Tensor) -> NDArray[np.uint8]:
    """[N, C, H, W] in [-1, 1] -> uint8 [N, H, W, C]."""
    return to_uint8(images).permute(0, 2, 3, 1).cpu().numpy()


def as_rows(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[N, H, W, C] -> [N, H * W * C], from 0 to 255."""
    return pixels.reshape(len(pixels), -1).astype(np.float32)
