"""Which images of a set are trained on, and which are held out."""

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .dataset import ImageDataset


def split(
    dataset: ImageDataset, holdout: float, subset: int | None, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sorted indices of the images to train on and of those held out, a function of the seed.

    holdout: a random share of each class, from 0 to 1; at least two of each class are left. subset: of these only so
    many are trained on, each class within one image of its share; None takes all.
    UserError for a set too small to hold any out, or to leave `subset` images with two of each class.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(dataset))
    labels = np.zeros(len(dataset), np.int64) if dataset.labels is None else dataset.labels
    held: list[NDArray[np.int64]] = []
    for label in np.unique(labels):
        members = order[labels[order] == label]
        held.append(members[: min(round(len(members) * holdout), len(members) - 2)])
    held_out = np.sort(np.concatenate(held))
    if holdout > 0 and not len(held_out):
        raise UserError(f"`holdout` {holdout}: that is less than one image of any class, give a larger share")
    left = order[~np.isin(order, held_out)]
    if subset is not None:
        left = _share(left, labels, subset)
    return np.sort(left), held_out


def _share(order: NDArray[np.int64], labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The first of `order` in each class, `count` in all."""
    if count > len(order):
        raise UserError(f"`subset` {count}: there are only {len(order)} images to train on, give fewer or none")
    by_class = order[np.argsort(labels[order], kind="stable")]
    quota = np.bincount(labels[by_class[np.arange(count) * len(order) // count]], minlength=labels.max() + 1)
    if quota[np.unique(labels)].min() < 2:
        raise UserError(f"`subset` {count}: that leaves less than two images of the rarest class, give more")
    return np.concatenate([order[labels[order] == label][: quota[label]] for label in np.unique(labels)])
