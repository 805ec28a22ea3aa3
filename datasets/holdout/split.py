"""The split of a set into images that are trained on and images that are held out."""

import numpy as np

from ...errors import UserError
from ..dataset import ImageDataset
from .copies import find_copies_in_set, hold_out_pictures
from .random_share import Indices, hold_out, pooled


def holdout_split(
    dataset: ImageDataset, holdout: float, subset: int | None, seed: int, copies_together: bool = False
) -> tuple[Indices, Indices]:
    """Sorted indices of the images to train on and of those held out, a function of the seed.

    holdout: a random share of each class, from 0 to 1; at least two of each class are left. Of a set with groups whole
    groups are held out, with shares as near to that as they allow. subset: of these only so many are trained on, each
    class within one image of its share; None takes all. Combinations of attributes with few images count as one class.
    copies_together: whether images that show the same picture are held out together, too (`hold_out_pictures`).
    UserError for a set too small to hold any out, or to leave `subset` images with two of each class.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(dataset))
    labels = np.zeros(len(dataset), np.int64) if dataset.labels is None else dataset.labels
    if dataset.attributes and holdout > 0:
        labels = pooled(labels, holdout)
    if copies_together and holdout > 0:
        copies = find_copies_in_set(dataset)
        held_out, _ = hold_out_pictures(order, labels, dataset.groups, copies, holdout)
        if not len(held_out) and copies.count:
            raise UserError(
                f"`holdout` {holdout}: images that are copies of each other, or of one group, are too many to be held "
                "out as a whole, remove copies (`data inspect` names them), or give a larger share"
            )
    else:
        held_out = hold_out(order, labels, dataset.groups, holdout)
    if holdout > 0 and not len(held_out) and dataset.groups is not None:
        raise UserError(
            f"`holdout` {holdout}: no group of any class is that small, and groups are held out as a whole: give a "
            "larger share, or finer `groups`"
        )
    if holdout > 0 and not len(held_out):
        raise UserError(f"`holdout` {holdout}: that is less than one image of any class, give a larger share")
    left = order[~np.isin(order, held_out)]
    if subset is not None:
        left = _share(left, labels, subset, 0 if dataset.attributes else 2)
    return np.sort(left), held_out


def _share(order: Indices, labels: Indices, count: int, least: int) -> Indices:
    """The first of `order` in each class, `count` in all, and at least `least` of each."""
    if count > len(order):
        raise UserError(f"`subset` {count}: there are only {len(order)} images to train on, give fewer or none")
    by_class = order[np.argsort(labels[order], kind="stable")]
    quota = np.bincount(labels[by_class[np.arange(count) * len(order) // count]], minlength=labels.max() + 1)
    if quota[np.unique(labels)].min() < least:
        raise UserError(f"`subset` {count}: that leaves less than two images of the rarest class, give more")
    return np.concatenate([order[labels[order] == label][: quota[label]] for label in np.unique(labels)])
