"""A random share of each class, in whole groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def hold_out(order: Indices, labels: Indices, groups: Sequence[str] | Indices | None, share: float) -> Indices:
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


def pooled(labels: Indices, share: float) -> Indices:
    """The labels with those of few images as one, of which a share may be held out where it is less than an image of
    each: for combinations of attributes, of which many may be rare."""
    counts = np.bincount(labels)
    rare = (counts * share < 1) | (counts < 3)
    return np.where(rare[labels], len(counts), labels)


def _whole_groups(order: Indices, labels: Indices, groups: NDArray[Any], share: float) -> Indices:
    """Groups as they come up in `order`, each if it brings the classes' counts nearer to their shares."""
    counts = np.bincount(labels)
    missing, left = counts * share, counts.copy()
    held = np.zeros(len(order), bool)
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    members_of = np.split(np.argsort(inverse), np.cumsum(np.bincount(inverse))[:-1])
    for group in np.argsort(first):
        members = members_of[group]
        own = np.bincount(labels[members], minlength=len(counts))
        nearer = np.abs(missing - own).sum() < np.abs(missing).sum()
        if nearer and (left - own)[own > 0].min() >= 2:
            held[members] = True
            missing, left = missing - own, left - own
    return np.sort(order[held])
