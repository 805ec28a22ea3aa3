"""The network of Shift-tolerant LPIPS, by VGG16 (Ghildyal & Liu 2022, arXiv 2207.13686), for distances and features.

Trained weights, and how their network is put together, are those of the package stlpips-pytorch 0.0.2 (BSD 2-clause,
Copyright (c) 2022 Abhijay Ghildyal, Feng Liu), whose file is read and whose code is not run. The network is written
here from the papers: VGG16's 13 convolutions (Simonyan & Zisserman 2014, arXiv 1409.1556); between its five stages
maximum, low-pass filter and subsampling ("MaxBlurPool" of Zhang 2019, arXiv 1904.11486, with taps 1, 2, 1 and two
pixels of reflection on every side); unit length over channels and learned weights per channel (Zhang et al. 2018,
arXiv 1801.03924, eq. 1).
"""

import io
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ...libraries.network_files import read_weights

PACKAGE = "stlpips_pytorch"
FILE = "weights/vST0.0/vgg_shift_tolerant.pth"
SHA256 = "44597da68f49c1837c100ff52299050f274d102eb102e5837178c79be6f0e250"
INSTALL = "pip install stlpips-pytorch==0.0.2"
STAGES = 5


class ShiftTolerantVGG:
    """VGG16 without its classifier, and the weights that make a distance of its maps.

    UserError if the file of weights is not the known one.
    """

    def __init__(self, device: torch.device | str = "cpu"):
        content = read_weights(PACKAGE, FILE, SHA256, INSTALL)
        state = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        self._shift, self._scale = state["scaling_layer.shift"], state["scaling_layer.scale"]
        self._stages = [_convolutions(state, f"net.slice{stage}.") for stage in range(1, STAGES + 1)]
        self._gains = [state[f"lin{stage}.model.1.weight"].sqrt() for stage in range(STAGES)]

    def stages(self, images: Tensor) -> Iterator[Tensor]:
        """The output of each stage's last convolution, after its ReLU.

        images: float [N, 3, H, W], about [-1, 1], 4 pixels a side at least -> one [N, C, h, w] per stage.
        """
        x = (images - self._shift) / self._scale
        for index, stage in enumerate(self._stages):
            if index > 0:
                x = _pool(x)
            for weight, bias in stage:
                x = F.conv2d(x, weight, bias, padding=1).relu()
            yield x

    def maps(self, images: Tensor) -> list[Tensor]:
        """Maps of which squared differences, averaged over positions, are the distance; shapes as in `stages`."""
        # each right after its stage, since gradients are summed in the order of what was computed
        return [
            # added before the root, not after: a position where nothing responds then has a gradient
            x * (x.square().sum(dim=1, keepdim=True) + 1e-20).rsqrt() * gain.reshape(1, -1, 1, 1)
            for x, gain in zip(self.stages(images), self._gains, strict=True)
        ]


def _convolutions(state: dict[str, Tensor], prefix: str) -> list[tuple[Tensor, Tensor]]:
    names = [name.removesuffix(".weight") for name in state if name.startswith(prefix) and name.endswith(".weight")]
    return [(state[f"{name}.weight"], state[f"{name}.bias"]) for name in names]


def _pool(x: Tensor) -> Tensor:
    """Maximum of 2x2, low-pass filter, every second pixel: [N, C, H, W] -> [N, C, H // 2 + 1, W // 2 + 1]."""
    x = F.pad(F.max_pool2d(x, 2, stride=1), (2, 2, 2, 2), mode="reflect")
    taps = x.new_tensor([1, 2, 1]) / 4
    return F.conv2d(x, torch.outer(taps, taps).expand(x.shape[1], 1, 3, 3), stride=2, groups=x.shape[1])
