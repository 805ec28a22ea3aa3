"""A small network that learns several labels of an image at once: classes, and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from ..datasets import ImageSubset, Pictures
from ..datasets.holdout.random_share import hold_out
from .scores import balanced_accuracy
from .small_cnn import Batches, Labels, SmallNetwork, learn, outputs_of

VALIDATION = 0.2  # of the images


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels of n images. choices: int64 [n, A], column a from 0 to K_a - 1, -1 where unknown. numbers: float64 [n, B],
    NaN where unknown."""

    choices: NDArray[np.int64]
    numbers: NDArray[np.float64]

    def __getitem__(self, places: NDArray[np.int64]) -> "Targets":
        return Targets(self.choices[places], self.numbers[places])


def flat_targets(labels: NDArray[np.int64]) -> Targets:
    """Targets of one label column [n], and no numbers."""
    return Targets(labels[:, None], np.zeros((len(labels), 0)))


class Judge:
    """A SmallNetwork with a head per label column, which has learned from labelled images.

    sizes: K_1 ... K_A. Its loss is the sum over columns of the cross entropy, each class with the same total weight, or
    of the squared error of standardised numbers, where they are known. A fifth of the images, by the first column's
    labels and in whole groups, is not learned from: what is kept scores best there, by the mean of balanced accuracies
    and of coefficients of determination. groups: what each image belongs to. ValueError for less than 10 images.
    """

    def __init__(
        self,
        images: Pictures,
        targets: Targets,
        sizes: tuple[int, ...],
        seed: int,
        device: torch.device,
        groups: Sequence[str] | None = None,
    ):
        if len(images) < 10:
            raise ValueError(f"{len(images)} images: a network needs at least 10 to learn from")
        self._sizes, self._device = sizes, device
        order = np.random.default_rng([seed, 13]).permutation(len(images))
        # unknown counts as a class of its own here
        strata = targets.choices[:, 0] + 1 if sizes else np.zeros(len(images), np.int64)
        held = hold_out(order, strata, groups, VALIDATION)
        fit = np.setdiff1d(order, held)
        own = targets[fit]
        self._mean, self._scale = _standard(own.numbers)
        weights = [_weights(column, size) for column, size in zip(own.choices.T, sizes, strict=True)]
        weights_at = [torch.tensor(values, dtype=torch.float32, device=device) for values in weights]
        learned, kept, kept_targets = ImageSubset(images, fit), ImageSubset(images, held), targets[held]

        def loss(outputs: Tensor, places: Labels) -> Tensor:
            return self._loss(outputs, own[places], weights_at)

        def score() -> float:
            return self._score(self.predict(kept), kept_targets) if len(held) else 0.0

        with torch.random.fork_rng(devices=[] if device.type == "cpu" else None):
            torch.manual_seed(seed)
            outputs = sum(sizes) + targets.numbers.shape[1]
            channels, height, width = images[0].shape
            self._network = SmallNetwork((channels, height, width), outputs).to(device)
            learn(self._network, Batches(len(fit), lambda places: (learned[places], places), seed), loss, score, device)

    def predict(self, images: Pictures) -> Targets:
        """The labels that it sees, of uint8 images [n, C, H, W]; all are known."""
        found = torch.cat([*outputs_of(self._network, images, self._device)]).cpu()
        heads = found.split([*self._sizes, len(self._mean)], dim=1)
        choices = [head.argmax(dim=1).numpy() for head in heads[:-1]]
        numbers = heads[-1].double().numpy() * self._scale + self._mean
        return Targets(np.stack(choices, axis=1) if choices else np.zeros((len(images), 0), np.int64), numbers)

    def _loss(self, outputs: Tensor, targets: Targets, weights: list[Tensor]) -> Tensor:
        heads = outputs.split([*self._sizes, len(self._mean)], dim=1)
        total = outputs.sum() * 0  # for a batch of which nothing is known
        for head, column, by_class in zip(heads, targets.choices.T, weights, strict=False):
            known = column >= 0
            if known.any():
                labels = torch.from_numpy(column[known]).to(self._device)
                total = total + cross_entropy(head[torch.from_numpy(known)], labels, by_class)
        standardised = (targets.numbers - self._mean) / self._scale
        known = ~np.isnan(standardised)
        for column in np.flatnonzero(known.any(axis=0)):
            rows = known[:, column]
            truth = torch.tensor(standardised[rows, column], dtype=torch.float32, device=self._device)
            total = total + mse_loss(heads[-1][torch.from_numpy(rows), column], truth)
        return total

    def _score(self, found: Targets, targets: Targets) -> float:
        scores = []
        for predicted, column in zip(found.choices.T, targets.choices.T, strict=True):
            if (column >= 0).any():
                scores.append(balanced_accuracy(predicted[column >= 0], column[column >= 0]))
        for number, column, scale in zip(found.numbers.T, targets.numbers.T, self._scale, strict=True):
            if not np.isnan(column).all():
                scores.append(1 - float(np.nanmean((number - column) ** 2)) / scale**2)
        return float(np.mean(scores)) if scores else 0.0


def _weights(column: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """[K]: n / (classes that occur * n_k), 0 for a class of no image."""
    counts = np.bincount(column[column >= 0], minlength=size)
    return np.divide(counts.sum() / max((counts > 0).sum(), 1), counts, out=np.zeros(size), where=counts > 0)


def _standard(numbers: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and standard deviations [B] of what is known; 0 and 1 of a column of which nothing is, or a constant."""
    known = ~np.isnan(numbers)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, numbers, 0).sum(axis=0) / count
    deviation = np.sqrt(np.where(known, (numbers - mean) ** 2, 0).sum(axis=0) / count)
    return mean, np.where(deviation > 0, deviation, 1)
