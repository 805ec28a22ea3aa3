"""The order in which, and how often, the images of a data set are seen."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def image_order(n: int, seed: int, start: int, count: int) -> np.ndarray:
    """int64 [count]: which of the n images stand at positions start ... start + count - 1 of the endless order.

    Each epoch of n positions holds every image once, shuffled by a function of (seed, epoch) alone. A run can thus
    begin at any position, and processes can share positions out, without drawing what came before.
    n, count >= 0 (n >= 1 if count is); seed, start >= 0. Constant for one version of numpy.
    """
    positions = np.arange(start, start + count, dtype=np.int64)
    epochs, places = np.divmod(positions, max(n, 1))
    order = np.empty(count, dtype=np.int64)
    for epoch in np.unique(epochs):
        inside = epochs == epoch
        order[inside] = _permutation(n, seed, int(epoch))[places[inside]]
    return order


# a training step asks for a batch of an epoch that the step before it asked for as well
@lru_cache(maxsize=4)
def _permutation(n: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch,))).permutation(n)


def balanced(members: NDArray[np.int64], labels: NDArray[np.int64], balance: float) -> NDArray[np.int64]:
    """The images of an epoch in which classes have shares between their own (balance 0) and equal ones (1).

    members [M]: indices of images; labels [M]: their classes. Returns members with repeats: each at least once, and
    those of one class equally often, to within once. The epoch is as long as that requires.
    """
    if balance == 0:
        return members
    classes, counts = np.unique(labels, return_counts=True)
    shares = (1 - balance) * counts / len(labels) + balance / len(classes)
    wanted = np.rint(shares * (counts / shares).max()).astype(int)
    epoch = [np.resize(members[labels == label], count) for label, count in zip(classes, wanted, strict=True)]
    return np.concatenate(epoch)
