"""The distance of two images as they look: by a network, differentiably, inside a mask."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import UserError, nearest
from ..metrics.networks import NETWORKS, make_extractor
from ..metrics.networks.extractor import Extractor
from ..metrics.networks.shift_tolerant_vgg import SHA256, ShiftTolerantVGG
from ..pixels import to_levels

# pixels; smaller images are enlarged. Measured on generated cells of 32x32, found again: to 64, the size of the patches
# that LPIPS was trained on, they are no better and take 1.8 times as long
SMALLEST = 32


class Distance(ABC):
    """Images as vectors of which the squared Euclidean distance is the distance of the images.

    identity: changes whenever the same images could get another distance.
    """

    identity: str

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """float [N, D], differentiable, for images float [N, C, H, W], about [-1, 1].

        Of 3 channels or more the first three are used, of 1 or 2 the first, three times. mask: [N, 1, H, W] or
        [1, 1, H, W], from 0 to 1. Both images are mid-gray where it is 0, so pixels there have no influence at all.
        """
        if mask is not None:
            images = images * mask
        rgb = images[:, :3] if images.shape[1] >= 3 else images[:, :1].expand(-1, 3, -1, -1)
        return self._vectors(rgb, mask)

    def __call__(self, images: Tensor, others: Tensor, mask: Tensor | None = None) -> Tensor:
        """[N]: the distance of each image from its other."""
        return (self.features(images, mask) - self.features(others, mask)).square().sum(dim=1)

    @abstractmethod
    def _vectors(self, rgb: Tensor, mask: Tensor | None) -> Tensor:
        """[N, 3, H, W] -> [N, D]"""


class VGGDistance(Distance):
    """Shift-tolerant LPIPS by VGG16. A mask also weights each of its maps, so that what counts is the mean inside."""

    def __init__(self, device: torch.device | str = "cpu", smallest: int = SMALLEST):
        self._network = ShiftTolerantVGG(device)
        self.identity = f"vgg {SHA256[:16]} {smallest}"
        self._smallest = smallest

    def _vectors(self, rgb: Tensor, mask: Tensor | None) -> Tensor:
        factor = self._smallest / min(rgb.shape[2:])
        if factor > 1:
            size = [round(side * factor) for side in rgb.shape[2:]]
            rgb = F.interpolate(rgb, size, mode="bilinear", align_corners=False)
        vectors = []
        for part in self._network.maps(rgb):
            if mask is None:
                part = part * (part.shape[2] * part.shape[3]) ** -0.5
            else:
                weight = F.interpolate(mask, part.shape[2:], mode="area")
                part = part * (weight / weight.sum(dim=(2, 3), keepdim=True).clamp(min=1e-8)).sqrt()
            vectors.append(part.flatten(1))
        return torch.cat(vectors, dim=1)


class ExtractorDistance(Distance):
    """Squared difference of a metric's features, each image's scaled to unit length."""

    def __init__(self, extractor: Extractor):
        self._extractor = extractor
        self.identity = extractor.identity

    def _vectors(self, rgb: Tensor, mask: Tensor | None) -> Tensor:
        height, width = self._extractor.size
        if rgb.shape[2:] != (height, width):
            rgb = F.interpolate(rgb, (height, width), mode="bicubic", align_corners=False, antialias=True)
        return F.normalize(self._extractor.network(to_levels(rgb)), dim=1)


def make_distance(name: str, device: torch.device | str = "cpu") -> Distance:
    """vgg (the default), or an extractor of the metrics: lite0, inception, or a TorchScript file (.pt).

    UserError for another name, an ONNX file (it gives no gradient), or missing weights (it says how to get them).
    """
    if name == "vgg":
        return VGGDistance(device)
    if name.endswith(".onnx"):
        raise UserError(f"`distance` {name}: an ONNX file gives no gradient, export the network as TorchScript (.pt)")
    if name not in NETWORKS and not name.endswith(".pt"):
        raise UserError(f"`distance` {name}: not a .pt file, {nearest(name, NETWORKS)}")
    try:
        return ExtractorDistance(make_extractor(name, device))
    except UserError as error:  # which names the option that the metrics have for it
        raise UserError(str(error).replace("`features`", "`distance`")) from None
