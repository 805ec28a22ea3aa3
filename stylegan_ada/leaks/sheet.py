"""Images as they are augmented and read, and a picture of what augmentations do to them."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..augment import AugmentPipe
from ..datasets import ImageDataset
from ..errors import cannot_write
from ..files import atomic_path
from ..pictures.grids import image_grid
from ..pixels import from_uint8, nhwc, to_uint8
from ..random import Draws

SHEET = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # rows, by p
COLUMNS = 12


def write_augmentation_sheet(path: Path, pipe: AugmentPipe, dataset: ImageDataset, device: torch.device) -> None:
    """A row per p of the same images with the same draws, so that more and more of them fire."""
    images = evenly_spaced_images(dataset, COLUMNS).to(device)
    indices = torch.arange(len(images), device=device)
    rows = [pipe(images, Draws(0, "sheet", indices), torch.tensor(p, device=device)) for p in SHEET]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(error, f"`out` {path.parent}: cannot write there ({error.strerror})") from None
    with atomic_path(path) as temporary:
        image_grid([as_pixels(row) for row in rows], [f"p = {p:g}" for p in SHEET]).save(temporary)


def evenly_spaced_images(dataset: ImageDataset, most: int) -> Tensor:
    """Images spread evenly over the set, float32 [N, C, H, W] in [-1, 1]."""
    chosen = np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(np.int64)
    return from_uint8(torch.from_numpy(dataset.images[chosen]))


def as_pixels(images: Tensor) -> NDArray[np.uint8]:
    """[N, C, H, W] in [-1, 1] -> uint8 [N, H, W, C]."""
    return nhwc(to_uint8(images)).cpu().numpy()


def flat_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[N, H, W, C] -> [N, H * W * C], from 0 to 255."""
    return pixels.reshape(len(pixels), -1).astype(np.float32)
