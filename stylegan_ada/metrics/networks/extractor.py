"""Features of images by a network: what every extractor has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...errors import UserError
from ...pixels import nchw

CPU_BATCH = 8  # measured: half the time per image of 32, whose maps are fresh memory at every layer
GPU_BATCH = 64


class Extractor(ABC):
    """Turns images into numbers of which distances mean something.

    identity: changes whenever the same image could get other numbers. name: for people. size: the height and width
    that the network takes.
    """

    identity: str
    name: str
    size: tuple[int, int]

    def __init__(self, device: torch.device | str):
        self.device = torch.device(device)
        self._batch = CPU_BATCH if self.device.type == "cpu" else GPU_BATCH

    def extract(
        self, batches: Iterable[NDArray[np.uint8]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """float32 [N, D], on the host, for batches of images, each uint8 [n, H, W, C] of any n, H and W.

        C is 3 for RGB, or 1 for gray, repeated to three; of 4 channels the first three are used, of 2 the first.
        progress: called with the number of images done so far. ValueError for another type or shape, or no image.
        """
        rows: list[NDArray[np.float32]] = []
        for batch in batches:
            _check(batch)
            for start in range(0, len(batch), self._batch):
                rows.append(self._of(batch[start : start + self._batch]))
                if progress is not None:
                    progress(sum(map(len, rows)))
        if not rows:
            raise ValueError("there are no images")
        return np.concatenate(rows)

    def features(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The features [N, D'] among what `extract` gave."""
        return rows

    def logits(self, rows: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """The classifier's logits [N, K] from what `extract` gave, None if the network has none."""
        return None

    def network(self, x: Tensor) -> Tensor:
        """Features [N, D'], differentiable, for RGB float [N, 3, *size] from 0 to 255. UserError if there is no way."""
        raise UserError(f"{self.name}: gives no gradient, use lite0, inception, vgg or a TorchScript file")

    @abstractmethod
    def _of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """[n, H, W, C] -> [n, D]"""


def resize(images: NDArray[np.uint8], height: int, width: int) -> Tensor:
    """uint8 [N, H, W, C] -> float [N, 3, height, width] from 0 to 255, channels last in memory, which is faster.

    By Pillow's bicubic filter, which widens with the step and so does not alias: the one rule for real and generated
    images.
    """
    channels = 3 if images.shape[3] >= 3 else 1
    # Pillow takes RGB as [H, W, 3], but gray as [H, W]
    pictures = images[..., :3] if channels == 3 else images[..., 0]
    if images.shape[1:3] != (height, width):
        bicubic = Image.Resampling.BICUBIC
        pictures = np.stack(
            [np.asarray(Image.fromarray(picture).resize((width, height), bicubic)) for picture in pictures]
        )
    stacked = torch.from_numpy(np.array(pictures)).reshape(-1, height, width, channels)
    return nchw(stacked.expand(-1, -1, -1, 3).contiguous()).float()


def _check(images: NDArray[np.uint8]) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or not 1 <= images.shape[3] <= 4:
        raise ValueError(f"images must be uint8 [N, H, W, C] with 1 to 4 channels, not {images.dtype} {images.shape}")
