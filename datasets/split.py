"""Which images of a set are trained on, and which are held out."""

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .dataset import ImageDataset

Indices = NDArray[np.int64]


def split(dataset: ImageDataset, holdout: float, subset: int | None, seed: int) -> tuple[Indices, Indices]:
    """Sorted indices of the images to train on and of those held out, a function of the seed.

    holdout: a random share of each class, from 0 to 1; at least two of each class are left. Of a set with groups whole
    groups are held out, with shares as near to that as they allow. subset: of these only so many are trained on, each
    class within one image of its share; None takes all.
    UserError for a set too small to hold any out, or to leave `subset` images with two of each class.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(dataset))
    labels = np.zeros(len(dataset), np.int64) if dataset.labels is None else dataset.labels
    held_out = hold_out(order, labels, dataset.groups, holdout)
    if holdout > 0 and not len(held_out):
        raise UserError(f"`holdout` {holdout}: that is less than one image of any class, give a larger share")
    left = order[~np.isin(order, held_out)]
    if subset is not None:
        left = _share(left, labels, subset)
    return np.sort(left), held_out


def hold_out(order: Indices, labels: Indices, groups: tuple[str, ...] | None, share: float) -> Indices:
    """Sorted: the first of `order`, indices into `labels`, about `share` of each class, in whole groups if there are
    any. At least two of each class are left."""
    own = labels[order]
    if groups is not None:
        return _whole_groups(order, own, np.asarray(groups)[order], share)
    held: list[Indices] = []
    for label in np.unique(own):
        members = order[own == label]
        held.append(members[: max(min(round(len(members) * share), len(members) - 2), 0)])
    return np.sort(np.concatenate(held))


def _whole_groups(order: Indices, labels: Indices, groups: NDArray[np.str_], share: float) -> Indices:
    """Groups as they come up in `order`, each if it brings the classes' counts nearer to their shares."""
    counts = np.bincount(labels)
    missing, left = counts * share, counts.copy()
    held = np.zeros(len(order), bool)
    names, first = np.unique(groups, return_index=True)
    for name in names[np.argsort(first)]:
        members = groups == name
        own = np.bincount(labels[members], minlength=len(counts))
        nearer = np.abs(missing - own).sum() < np.abs(missing).sum()
        if nearer and (left - own)[own > 0].min() >= 2:
            held |= members
            missing, left = missing - own, left - own
    return np.sort(order[held])


def _share(order: Indices, labels: Indices, count: int) -> Indices:
    """The first of `order` in each class, `count` in all."""
    if count > len(order):
        raise UserError(f"`subset` {count}: there are only {len(order)} images to train on, give fewer or none")
    by_class = order[np.argsort(labels[order], kind="stable")]
    quota = np.bincount(labels[by_class[np.arange(count) * len(order) // count]], minlength=labels.max() + 1)
    if quota[np.unique(labels)].min() < 2:
        raise UserError(f"`subset` {count}: that leaves less than two images of the rarest class, give more")
    return np.concatenate([order[labels[order] == label][: quota[label]] for label in np.unique(labels)])
