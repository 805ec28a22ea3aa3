"""Finding the images of a set that show the same picture, and holding out whole pictures."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_avg_pool2d

from ..dataset import ImageDataset, Pictures
from .random_share import Indices, hold_out, pooled
from .same_picture import CHUNK, same_pairs

SIDE = 32  # pixels at which images are compared, as `inspect` does


@dataclass(frozen=True, eq=False)
class CopiesInSet:
    """exact: int64 [N], of each image the first one with the same pixels. near: int64 [P, 2], pairs that show the same
    picture otherwise (`same_pairs`), of exact copies only the first being compared."""

    exact: Indices
    near: Indices

    @property
    def pairs(self) -> Indices:
        """[Q, 2]: each exact copy with the first of its kind, and the near ones."""
        later = np.flatnonzero(self.exact != np.arange(len(self.exact)))
        return np.concatenate([np.stack([self.exact[later], later], axis=1), self.near])

    @property
    def count(self) -> int:
        """The number of images that are copies of others."""
        return len(self.exact) - len(np.unique(self.units(None)))

    def units(self, groups: Sequence[str] | None, *, near: bool = True) -> Indices:
        """[N]: one number for all images that stay together: copies, the near ones if `near`, and groups."""
        links = [*self.pairs.tolist()] if near else [*enumerate(self.exact.tolist())]
        if groups is not None:
            _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
            links += enumerate(first[inverse].tolist())
        return _joined(len(self.exact), links)


def find_copies_in_set(dataset: ImageDataset) -> CopiesInSet:
    """Compares the packed pixels of a set. In a set with groups, images of one colour are no copies: a black slice of
    each of two patients does not make them one."""
    pixels = dataset.images if dataset.levels is None else dataset.levels
    first_of: dict[bytes, int] = {}
    exact = np.arange(len(pixels))
    for index, image in enumerate(pixels):
        if dataset.groups is None or (image != image[:, :1, :1]).any():
            exact[index] = first_of.setdefault(hashlib.sha256(image.tobytes()).digest(), index)
    distinct = np.flatnonzero(exact == np.arange(len(exact)))
    return CopiesInSet(exact, distinct[same_pairs(_small(dataset.images)[distinct])])


def hold_out_pictures(
    order: Indices, labels: Indices, groups: Sequence[str] | None, copies: CopiesInSet, share: float
) -> tuple[Indices, Indices]:
    """The indices that `hold_out` gives with all copies of a picture on one side, and those of images that may have a
    near copy on the other.

    The latter are those that near copies link into units, each like the next as the frames of a film are, so large that
    of some class less than half of its share could be held out otherwise. Exact copies and groups stay together.
    """
    none = np.zeros(0, np.int64)
    if not len(copies.pairs):
        return hold_out(order, labels, groups, share), none
    whole, loose = copies.units(groups), copies.units(groups, near=False)
    held = hold_out(order, labels, whole, share)
    apart = np.zeros(len(whole), bool)
    for label in np.unique(labels[order]):
        count = int((labels[order] == label).sum())
        wanted = min(round(count * share), count - 2)
        if 2 * (labels[held] == label).sum() < wanted:
            sizes = np.bincount(whole[labels == label], minlength=len(whole))
            parts = np.bincount(whole[np.unique(loose, return_index=True)[1]], minlength=len(whole))
            apart |= ((sizes > wanted) & (parts > 1))[whole]
    if not apart.any():
        return held, none
    units = np.where(apart, len(whole) + loose, whole)
    return hold_out(order, labels, units, share), np.flatnonzero(apart)


def copies_warnings(dataset: ImageDataset, copies: CopiesInSet, holdout: float, seed: int) -> list[str]:
    """A line each, on copies in two classes, and on those that a share `holdout` would not keep on one side."""
    labels = np.zeros(len(dataset), np.int64) if dataset.labels is None else dataset.labels
    if dataset.attributes and holdout > 0:
        labels = pooled(labels, holdout)
    order = np.random.default_rng([seed, 1]).permutation(len(dataset))
    apart = hold_out_pictures(order, labels, dataset.groups, copies, holdout)[1]
    return [f"warning: {line}" for line in (*_on_classes(copies, labels, dataset.names), *on_apart(len(apart)))]


def on_apart(count: int) -> list[str]:
    """A warning, of images that `hold_out_pictures` could not keep together."""
    if not count:
        return []
    return [
        f"{count} images are linked by near copies into sets too large to be held out, as the frames of a film "
        "are, or patients who share pictures: some of these are held out while a near copy is trained on, say by "
        "`groups` (folder:1) what belongs together, or remove near copies"
    ]


def _on_classes(copies: CopiesInSet, labels: Indices, names: Sequence[str]) -> list[str]:
    across = [pair for pair in copies.pairs.tolist() if labels[pair[0]] != labels[pair[1]]]
    if not across:
        return []
    first = " and ".join(repr(names[index]) for index in across[0])
    return [f"{len(across)} pairs of copies are in two classes (first: {first}): one of the labels may be wrong"]


def _small(images: Pictures) -> NDArray[np.uint8]:
    """[N, 32, 32], gray: the means of areas."""
    parts = []
    for start in range(0, len(images), CHUNK):
        gray = torch.from_numpy(images[start : start + CHUNK].astype(np.float32)).mean(1, keepdim=True)
        parts.append(adaptive_avg_pool2d(gray, SIDE)[:, 0].round().to(torch.uint8).numpy())
    return np.concatenate(parts)


def _joined(count: int, links: Iterable[Sequence[int]]) -> Indices:
    """[count]: for each of so many things the first of those that it is linked to, directly or not."""
    parent = list(range(count))

    def first_of(thing: int) -> int:
        while parent[thing] != thing:
            parent[thing] = thing = parent[parent[thing]]
        return thing

    for one, other in links:
        first, second = sorted((first_of(one), first_of(other)))
        parent[second] = first
    return np.array([first_of(thing) for thing in range(count)], np.int64)
