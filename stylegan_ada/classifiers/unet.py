"""A small network that marks pixels, trained from scratch: a U-Net (arXiv 1505.04597)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from ..datasets import Pictures
from ..pictures.masks import MARKED
from .scores import dice
from .small_cnn import BATCH, Batches, learn, outputs_of

WIDTHS = (8, 16, 32, 64, 64)
LARGE = 128  # pixels a side: of larger images there are fewer in a batch, to fit in memory

Masks = NDArray[np.uint8]  # [n, K, H, W], shares of pixels, 255 for all of one


class UNet(nn.Module):
    """Logits [N, kinds, H, W] of images [N, C, H, W] in [-1, 1]: two 3x3 convolutions with batch normalisation at each
    resolution down to 4 to 7 pixels, and up again, beside what there was on the way down."""

    def __init__(self, image_shape: tuple[int, int, int], kinds: int):
        super().__init__()
        channels, height, width = image_shape
        halvings = min(len(WIDTHS) - 1, int(np.log2(min(height, width) / 4)))
        widths = WIDTHS[: halvings + 1]
        inputs = (channels, *widths[:-1])
        self.down = nn.ModuleList(_block(before, after) for before, after in zip(inputs, widths, strict=True))
        self.up = nn.ModuleList(
            _block(below + beside, beside) for below, beside in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.out = nn.Conv2d(widths[0], kinds, 1)

    def forward(self, x: Tensor) -> Tensor:
        beside: list[Tensor] = []
        for block in self.down:
            x = block(nn.functional.max_pool2d(x, 2) if beside else x)
            beside.append(x)
        for block, other in zip(self.up, beside[-2::-1], strict=True):
            x = block(torch.cat([interpolate(x, other.shape[2:]), other], dim=1))
        logits: Tensor = self.out(x)
        return logits


def _block(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class MaskPredictor:
    """A U-Net that has learned masks, by cross entropy of each pixel and the soft Dice of each kind (arXiv 1606.04797).

    batches: of images to learn from and their masks, `batch_of` them at once. What is kept has the best Dice on the
    validation pairs, as a mean over kinds (`learn`), which is `validation`. The seed decides the initial weights.
    """

    def __init__(self, batches: Batches[Masks], validation: tuple[Pictures, Masks], seed: int, device: torch.device):
        channels, height, width = validation[0][0].shape
        kinds = validation[1].shape[1]
        self._device = device
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else None):
            torch.manual_seed(seed)
            self._network = UNet((channels, height, width), kinds).to(device)

            def loss(logits: Tensor, masks: Masks) -> Tensor:
                shares = torch.from_numpy(masks).to(device).float() / 255
                return binary_cross_entropy_with_logits(logits, shares) + _soft_dice_loss(logits.sigmoid(), shares)

            def score() -> float:
                found = dice(self.marked(validation[0]), validation[1] >= MARKED)
                known = found[~np.isnan(found)]
                return float(known.mean()) if len(known) else 1.0  # nothing was to be marked, and nothing was

            self.validation = learn(self._network, batches, loss, score, device)

    def marked(self, images: Pictures) -> NDArray[np.bool_]:
        """[n, K, H, W]: where it is surer of a kind than not."""
        parts = outputs_of(self._network, images, self._device)
        return np.concatenate([(logits >= 0).cpu().numpy() for logits in parts])


def batch_of(image_shape: tuple[int, ...]) -> int:
    """Images in a batch, fewer of large ones: [..., H, W]."""
    return max(4, min(BATCH, BATCH * LARGE**2 // (image_shape[-1] * image_shape[-2])))


def _soft_dice_loss(shares: Tensor, wanted: Tensor) -> Tensor:
    """1 minus the Dice of [N, K, H, W] over a batch, as a mean over kinds."""
    common = (shares * wanted).sum(dim=(0, 2, 3))
    whole = (shares + wanted).sum(dim=(0, 2, 3))
    return 1 - ((2 * common + 1) / (whole + 1)).mean()
