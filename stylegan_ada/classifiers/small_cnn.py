"""A small convolutional network, trained from scratch."""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..datasets import Pictures
from ..pixels import from_uint8
from .scores import balanced_accuracy

BATCH = 64
PIXELS = 256 * 128 * 128  # at once, where nothing is learned
LEARNING_RATE = 4e-3  # at its highest
WEIGHT_DECAY = 1e-3
PASSES = 40  # through the images, within these steps:
FEWEST_STEPS, MOST_STEPS = 200, 600
CHECK_EVERY = 50  # steps
PATIENCE = 6  # checks without an improvement
WIDTHS = (16, 32, 64, 128, 128)

Images = NDArray[np.uint8]  # [n, C, H, W]
Labels = NDArray[np.int64]
Wanted = TypeVar("Wanted", bound=NDArray[Any])  # what is to be learned: labels, or masks


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


def learn(
    network: nn.Module,
    batches: "Batches[Wanted]",
    loss: Callable[[Tensor, Wanted], Tensor],
    score: Callable[[], float],
    device: torch.device,
) -> float:
    """Trains the network by AdamW, and returns the best score, at which it is left.

    loss: of the outputs for a batch and what comes with its images. The learning rate rises and falls once (arXiv
    1708.07120). Every 50 steps the score is asked for; after 6 times without an improvement it stops.
    """
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=len(batches))
    highest, best, checks = -math.inf, network.state_dict(), 0
    for step, (images, wanted) in enumerate(batches, start=1):
        network.train()
        value = loss(network(_tensor(images, device)), wanted)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
        if step % CHECK_EVERY == 0:
            found = score()
            checks += 1
            if found > highest:
                highest, best, checks = found, copy.deepcopy(network.state_dict()), 0
            if checks == PATIENCE:
                break
    network.load_state_dict(best)
    return highest


def outputs_of(network: nn.Module, images: Pictures, device: torch.device) -> Iterator[Tensor]:
    """Outputs [n, ...], as when nothing is learned, of some images after the others."""
    network.eval()
    height, width = images[:1].shape[2:]
    count = max(1, min(256, PIXELS // (height * width)))
    for first in range(0, len(images), count):
        with torch.inference_mode():
            yield network(_tensor(images[first : first + count], device))


def _tensor(images: Images, device: torch.device) -> Tensor:
    x = from_uint8(torch.from_numpy(images).to(device))
    return x.contiguous(memory_format=torch.channels_last)


class ImageClassifier:
    """A SmallNetwork that has learned classes, each of the same total weight in its loss.

    batches: of images to learn from and their labels, as many as there are to be steps. weights: [C], of the classes.
    What is kept has the best balanced accuracy on the validation images (`learn`), which is `validation`. The seed
    decides the initial weights and which units are dropped.
    """

    def __init__(
        self,
        batches: "Batches[Labels]",
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
            class_weights = torch.tensor(weights, dtype=torch.float32, device=device)

            def loss(logits: Tensor, labels: Labels) -> Tensor:
                return cross_entropy(logits, torch.from_numpy(labels).to(device), class_weights)

            def score() -> float:
                return balanced_accuracy(self.probabilities(validation[0]).argmax(axis=1), validation[1])

            self.validation = learn(self._network, batches, loss, score, device)

    def probabilities(self, images: Pictures) -> NDArray[np.float32]:
        """[n, C]"""
        return torch.cat([*outputs_of(self._network, images, self._device)]).softmax(dim=1).cpu().numpy()


class Batches(Generic[Wanted]):
    """Batches of `count` images in an order that is new in every pass: about 40 passes, in 200 to 600 steps.

    take: images, uint8 [n, C, H, W], and labels [n] or masks of places, int64 [n]. size: of a batch.
    """

    def __init__(
        self, count: int, take: Callable[[NDArray[np.int64]], tuple[Images, Wanted]], seed: int, size: int = BATCH
    ):
        self._count, self._take, self._seed, self._size = count, take, seed, size

    def __len__(self) -> int:
        return min(max(PASSES * self._count // BATCH, FEWEST_STEPS), MOST_STEPS)

    def __iter__(self) -> Iterator[tuple[Images, Wanted]]:
        rng = np.random.default_rng([self._seed, 11])
        size, rest = min(self._size, self._count), np.zeros(0, np.int64)
        for _ in range(len(self)):
            while len(rest) < size:
                rest = np.concatenate([rest, rng.permutation(self._count)])
            yield self._take(rest[:size])
            rest = rest[size:]
