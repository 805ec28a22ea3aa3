"""A picture of what augmentations do to real images."""

from pathlib import Path

import torch

from ..augment import AugmentPipe
from ..datasets import ImageDataset
from ..errors import cannot_write
from ..files import atomic_path
from ..grids import image_grid
from ..random import Draws
from .pixels import as_pixels, real_images

SHEET = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # rows, by p
COLUMNS = 12


def write_sheet(path: Path, pipe: AugmentPipe, dataset: ImageDataset, device: torch.device) -> None:
    """A row per p of the same images with the same draws, so that more and more of them fire."""
    images = real_images(dataset, COLUMNS).to(device)
    indices = torch.arange(len(images), device=device)
    rows = [pipe(images, Draws(0, "sheet", indices), torch.tensor(p, device=device)) for p in SHEET]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(error, f"`out` {path.parent}: cannot write there ({error.strerror})") from None
    with atomic_path(path) as temporary:
        image_grid([as_pixels(row) for row in rows], [f"p = {p:g}" for p in SHEET]).save(temporary)
