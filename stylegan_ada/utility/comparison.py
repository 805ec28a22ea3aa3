"""Whether one training set is better than another: paired differences, their intervals, and chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 5000
FEW = 5  # test images of a class below which an interval would be too narrow


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A difference of balanced accuracy, from -1 to 1, with its 95% interval. p: how likely chance alone gives so much,
    of either sign, as if it were the only comparison; p_corrected: as one of all of them."""

    value: float
    low: float
    high: float
    p: float
    p_corrected: float = 1.0


def difference(
    one: NDArray[np.bool_], other: NDArray[np.bool_], labels: NDArray[np.int64], units: NDArray[np.int64]
) -> Difference:
    """The difference of `one` from `other`, which say whether each test image was classified rightly: [seeds, n], in
    pairs of seeds.

    labels: [n], true classes. units: [n], what images belong to, such as patients; each image its own where nothing is
    known. The interval is of a bootstrap over seeds and, class by class, over units: their images are drawn together.
    In a class of fewer than 5 units, too few to show how they vary, two more may be drawn: one that changed to right,
    one to wrong. That widens the interval (after Agresti & Min 2005, who add as much to a table of matched pairs).
    """
    gain = one.astype(np.float64) - other  # [seeds, n]
    rng = np.random.default_rng(0)
    seeds = rng.multinomial(len(gain), np.full(len(gain), 1 / len(gain)), RESAMPLES) / len(gain)  # [R, seeds]
    classes = np.unique(labels)
    resampled, value = np.zeros(RESAMPLES), 0.0
    for label in classes:
        own = labels == label
        names, index = np.unique(units[own], return_inverse=True)
        counts = np.bincount(index).astype(np.float64)  # [units]
        sums = np.stack([np.bincount(index, weights=row) for row in gain[:, own]])  # [seeds, units]
        if len(names) < FEW:
            counts = np.append(counts, [1, 1])
            sums = np.concatenate([sums, np.tile([1.0, -1.0], (len(sums), 1))], axis=1)
        drawn = rng.multinomial(len(names), np.full(len(counts), 1 / len(counts)), RESAMPLES)  # [R, units]
        resampled += ((seeds @ sums) * drawn).sum(axis=1) / (drawn @ counts) / len(classes)
        value += float(gain[:, own].mean()) / len(classes)
    return resampled_difference(value, resampled)


def resampled_difference(value: float, resampled: NDArray[np.float64]) -> Difference:
    """The difference `value` with the interval and the chance that its bootstrap, [R], gives."""
    low, high = np.quantile(resampled, [0.025, 0.975])
    beyond = min((resampled <= 0).sum(), (resampled >= 0).sum())
    return Difference(
        value=value,
        low=min(float(low), value),
        high=max(float(high), value),
        p=min(1.0, 2 * (float(beyond) + 1) / (RESAMPLES + 1)),
    )


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Sets p_corrected by Holm's step-down procedure (1979): the chance that any one of these is wrong is held."""
    order = sorted(range(len(differences)), key=lambda index: differences[index].p)
    result, largest = list(differences), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(differences) - rank) * differences[index].p))
        result[index] = replace(differences[index], p_corrected=largest)
    return result
