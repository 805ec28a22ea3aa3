"""How well masks overlap on test images, and whether one set of them does so better than another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..comparison import RESAMPLES, Difference, resampled_difference


@dataclass(frozen=True, eq=False, kw_only=True)
class Overlap:
    """Pixels of each test image and kind, int64 [n, K]: marked by a network, by hand, by both."""

    marked: NDArray[np.int64]
    true: NDArray[np.int64]
    common: NDArray[np.int64]

    @property
    def dice(self) -> NDArray[np.float64]:
        """[K], over all pixels of all images; NaN for a kind that is marked by nobody."""
        return _dice(self.common.sum(axis=0), self.marked.sum(axis=0) + self.true.sum(axis=0))

    @property
    def iou(self) -> NDArray[np.float64]:
        """[K], as `dice`."""
        return self.dice / (2 - self.dice)


def overlap_of(marked: NDArray[np.bool_], true: NDArray[np.bool_]) -> Overlap:
    """Of masks [n, K, H, W]."""

    def count(masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        return masks.sum(axis=(2, 3))

    return Overlap(marked=count(marked), true=count(true), common=count(marked & true))


def mean_dice(overlaps: Sequence[Overlap]) -> float:
    """The mean over seeds and kinds."""
    return float(np.mean([np.nanmean(one.dice) for one in overlaps]))


def difference(one: Sequence[Overlap], other: Sequence[Overlap], units: NDArray[np.int64]) -> Difference:
    """The difference of `one`'s mean Dice from `other`'s; both by seed, in pairs. units: int64 [n], what test images
    belong to, such as patients. The interval is of a bootstrap over seeds and over units, whose images are drawn
    together."""
    rng = np.random.default_rng(0)
    count = len(np.unique(units))
    drawn = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float64)  # [R, units]
    seeds = rng.multinomial(len(one), np.full(len(one), 1 / len(one)), RESAMPLES) / len(one)  # [R, seeds]
    each = [_resampled(a, units, drawn) - _resampled(b, units, drawn) for a, b in zip(one, other, strict=True)]
    resampled = (np.stack(each, axis=1) * seeds).sum(axis=1)
    return resampled_difference(mean_dice(one) - mean_dice(other), resampled)


def _resampled(overlap: Overlap, units: NDArray[np.int64], drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """[R]: the mean Dice over kinds, of units drawn so often; 0 for a draw in which nobody marks anything."""

    def by_unit(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.stack([np.bincount(units, weights=counts[:, kind]) for kind in range(counts.shape[1])], axis=1)

    common, whole = drawn @ by_unit(overlap.common), drawn @ by_unit(overlap.marked + overlap.true)
    known = (whole > 0).sum(axis=1)
    return np.divide(np.nansum(_dice(common, whole), axis=1), known, out=np.zeros(len(known)), where=known > 0)


def _dice(common: NDArray[np.number], whole: NDArray[np.number]) -> NDArray[np.float64]:
    return np.divide(2.0 * common, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
