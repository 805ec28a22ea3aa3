"""A small convolutional network, trained from scratch."""

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..datasets import Pictures
from ..pixels import from_uint8
from .scores import balanced_accuracy

BATCH = 64
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-3
MOST_STEPS = 1000
CHECK_EVERY = 50  # steps
PATIENCE = 4  # checks without an improvement
WIDTHS = (16, 32, 64, 128, 128)

Images = NDArray[np.uint8]  # [n, C, H, W]
Labels = NDArray[np.int64]


class SmallNetwork(nn.Sequential):
    """Logits [N, classes] of images [N, C, H, W] in [-1, 1]: two 3x3 convolutions at each resolution down to 4 to 8
    pixels, with batch normalisation, then a mean over places."""

    def __init__(self, image_shape: tuple[int, int, int], classes: int):
        channels, height, width = image_shape
        stages = max(1, min(len(WIDTHS), int(np.log2(min(height, width) / 4)))) if min(height, width) >= 8 else 1
        layers: list[nn.Module] = []
        for stage in range(stages):
            for _ in range(2):
                layers += [
                    nn.Conv2d(channels, WIDTHS[stage], 3, padding=1, bias=False),
                    nn.BatchNorm2d(WIDTHS[stage]),
                    nn.ReLU(inplace=True),
                ]
                channels = WIDTHS[stage]
            layers.append(nn.MaxPool2d(2))
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(channels, classes))


class ImageClassifier:
    """A SmallNetwork that has learned, with each class of the same total weight in its loss, by AdamW.

    batches: endless, of images to learn from and their labels. weights: [C], of the classes. Every 50 steps its loss on
    the validation images is measured; it stops after 4 measurements without an improvement, or 1,000 steps, and keeps
    what was best. The seed decides the initial weights and which units are dropped. validation: balanced accuracy.
    """

    def __init__(
        self,
        batches: Iterator[tuple[Images, Labels]],
        weights: NDArray[np.float64],
        validation: tuple[Pictures, Labels],
        seed: int,
        device: torch.device,
    ):
        channels, height, width = validation[0][0].shape
        self._device = device
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else None):
            torch.manual_seed(seed)
            self._network = SmallNetwork((channels, height, width), len(weights)).to(device)
            self._learn(batches, torch.tensor(weights, dtype=torch.float32, device=device), validation)
        predicted = self.probabilities(validation[0]).argmax(axis=1)
        self.validation = balanced_accuracy(predicted, validation[1])

    def _learn(
        self, batches: Iterator[tuple[Images, Labels]], weights: Tensor, validation: tuple[Pictures, Labels]
    ) -> None:
        optimiser = torch.optim.AdamW(self._network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        held_labels = torch.from_numpy(validation[1]).to(self._device)
        lowest, best, checks = float("inf"), copy.deepcopy(self._network.state_dict()), 0
        for step, (images, labels) in zip(range(1, MOST_STEPS + 1), batches, strict=False):
            self._network.train()
            loss = cross_entropy(
                self._network(self._tensor(images)), torch.from_numpy(labels).to(self._device), weights
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if step % CHECK_EVERY == 0:
                held = float(cross_entropy(self._logits(validation[0]), held_labels, weights))
                checks += 1
                if held < lowest:
                    lowest, best, checks = held, copy.deepcopy(self._network.state_dict()), 0
                if checks == PATIENCE:
                    break
        self._network.load_state_dict(best)

    def probabilities(self, images: Pictures) -> NDArray[np.float32]:
        """[n, C]"""
        return self._logits(images).softmax(dim=1).cpu().numpy()

    @torch.inference_mode()
    def _logits(self, images: Pictures) -> Tensor:
        self._network.eval()
        parts = [self._network(self._tensor(images[i : i + 256])) for i in range(0, len(images), 256)]
        return torch.cat(parts)

    def _tensor(self, images: Images) -> Tensor:
        x = from_uint8(torch.from_numpy(images).to(self._device))
        return x.contiguous(memory_format=torch.channels_last)


def endless_batches(
    count: int, take: Callable[[NDArray[np.int64]], tuple[Images, Labels]], seed: int
) -> Iterator[tuple[Images, Labels]]:
    """Batches of `count` images in an order that is new in every pass. take: images and labels of places, int64 [n]."""
    rng = np.random.default_rng([seed, 11])
    size, rest = min(BATCH, count), np.zeros(0, np.int64)
    while True:
        while len(rest) < size:
            rest = np.concatenate([rest, rng.permutation(count)])
        yield take(rest[:size])
        rest = rest[size:]
