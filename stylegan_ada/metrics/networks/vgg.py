"""Features by VGG16 at a size that fits small images; the weights are those of the projection's distance."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .extractor import Extractor, resize
from .shift_tolerant_vgg import SHA256, ShiftTolerantVGG

SIDES = (64, 128, 224)  # pixels: of the patches that the weights were tuned on, ..., of VGG16's own training


class VGGFeatures(Extractor):
    """512 features per image: the mean over places of the last convolution's maps, after its ReLU.

    image_size: height and width of the images; the network takes them at the smallest of 64, 128 and 224 pixels a side
    that is not below the longer one, or at 224. Features of different sides must not be mixed, so identity tells them
    apart. UserError if the weights are not the known ones.
    """

    def __init__(self, device: torch.device | str = "cpu", image_size: tuple[int, int] = (224, 224)):
        super().__init__(device)
        side = next((side for side in SIDES if side >= max(image_size)), SIDES[-1])
        self.size = (side, side)
        self.identity = f"vgg16-{SHA256[:16]}-bicubic{side}"
        self.name = f"VGG16 at {side} pixels"
        self._network = ShiftTolerantVGG(self.device)

    def network(self, x: Tensor) -> Tensor:
        *_, last = self._network.stages(x / 127.5 - 1)
        return last.mean(dim=(2, 3))

    @torch.inference_mode()
    def _of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.network(resize(images, *self.size).to(self.device)).cpu().numpy()
