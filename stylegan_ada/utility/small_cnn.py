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
LEARNING_RATE = 4e-3  # at its highest
WEIGHT_DECAY = 1e-3
PASSES = 40  # through the images, within these steps:
FEWEST_STEPS, MOST_STEPS = 200, 600
CHECK_EVERY = 50  # steps
PATIENCE = 6  # checks without an improvement
WIDTHS = (16, 32, 64, 128, 128)

Images = NDArray[np.uint8]  # [n, C, H, W]
Labels = NDArray[np.int64]
Batch = tuple[Images, Labels]


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

    batches: of images to learn from and their labels, as many as there are to be steps. weights: [C], of the classes.
    The learning rate rises and falls once (arXiv 1708.07120). Every 50 steps the balanced accuracy on the validation
    images is measured; what was best is kept, and after 6 measurements without an improvement it stops. The seed
    decides the initial weights and which units are dropped. validation: the balanced accuracy that was kept.
    """

    def __init__(
        self,
        batches: "Batches",
        weights: NDArray[np.float64],
        validation: tuple[Pictures, Labels],
        seed: int,
        device: torch.device,
    ):
        channels, height, width = validation[0][0].shape
        self._device = device
        self.validation = -1.0
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else None):
            torch.manual_seed(seed)
            self._network = SmallNetwork((channels, height, width), len(weights)).to(device)
            self._learn(batches, torch.tensor(weights, dtype=torch.float32, device=device), validation)

    def _learn(self, batches: "Batches", weights: Tensor, validation: tuple[Pictures, Labels]) -> None:
        optimiser = torch.optim.AdamW(self._network.parameters(), weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=len(batches))
        best, checks = self._network.state_dict(), 0
        for step, (images, labels) in enumerate(batches, start=1):
            self._network.train()
            logits = self._network(self._tensor(images))
            loss = cross_entropy(logits, torch.from_numpy(labels).to(self._device), weights)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            if step % CHECK_EVERY == 0:
                predicted = self.probabilities(validation[0]).argmax(axis=1)
                score = balanced_accuracy(predicted, validation[1])
                checks += 1
                if score > self.validation:
                    self.validation, best, checks = score, copy.deepcopy(self._network.state_dict()), 0
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


class Batches:
    """Batches of `count` images in an order that is new in every pass: about 40 passes, in 200 to 600 steps.

    take: images, uint8 [n, C, H, W], and labels [n] of places, int64 [n].
    """

    def __init__(self, count: int, take: Callable[[NDArray[np.int64]], Batch], seed: int):
        self._count, self._take, self._seed = count, take, seed

    def __len__(self) -> int:
        return min(max(PASSES * self._count // BATCH, FEWEST_STEPS), MOST_STEPS)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng([self._seed, 11])
        size, rest = min(BATCH, self._count), np.zeros(0, np.int64)
        for _ in range(len(self)):
            while len(rest) < size:
                rest = np.concatenate([rest, rng.permutation(self._count)])
            yield self._take(rest[:size])
            rest = rest[size:]
