"""The range of the values in a set of images, and the values in it that may stand for nothing measured."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE = 4096  # pixels of an image that are looked at
TAIL = 32  # of these the lowest and the highest that are kept, beside as many between them
HANDFUL = 8  # values


@dataclass(frozen=True, eq=False)
class ValueRange:
    """low, high: of an image's values, in its own units. some: float32, sorted, of its values, the tails among them."""

    low: float
    high: float
    some: NDArray[np.float32]


@dataclass(frozen=True)
class OutlyingValues:
    """Values far from all others. values: a few of them. share: of the pixels. low, high: the range of the others."""

    values: tuple[float, ...]
    share: float
    low: float
    high: float


def value_range(values: NDArray[np.float32]) -> ValueRange:
    """The value range of an image of any shape; NaN is left out."""
    flat = values.ravel()
    if np.isnan(flat.min()):
        flat = flat[~np.isnan(flat)]
    sample = np.sort(flat[:: max(1, len(flat) // SAMPLE)])
    between = sample[np.linspace(0, len(sample) - 1, TAIL).astype(int)]
    some = np.unique(np.concatenate([sample[:TAIL], between, sample[-TAIL:]]))
    return ValueRange(float(flat.min()), float(flat.max()), some)


def whole_range(ranges: Iterable[ValueRange]) -> tuple[float, float]:
    """(low, high), the latter above the former. (0, 1) where there are none."""
    ranges = list(ranges)
    if not ranges:
        return 0.0, 1.0
    low, high = min(found.low for found in ranges), max(found.high for found in ranges)
    return low, high if high > low else low + 1


def values_apart(
    ranges: Sequence[ValueRange], images: Callable[[], Iterable[NDArray[np.float32]]]
) -> OutlyingValues | None:
    """The handful of values that take more than half of the range, with nothing between them and the others; None
    where there are none. images: opens them once more, for the exact range of the others."""
    if not ranges:
        return None
    ends = [[found.low, found.high] for found in ranges]
    values = np.unique(np.concatenate([*(found.some for found in ranges), *ends]))
    first, last = 0, len(values) - 1
    while last > first:
        gaps = np.diff(values[first : last + 1])
        at = first + int(gaps.argmax())
        below, above = at + 1 - first, last - at
        if gaps.max() <= 0.5 * (values[last] - values[first]) or not 0 < min(below, above) <= HANDFUL < max(
            below, above
        ):
            break
        first, last = (at + 1, last) if below < above else (first, at)
    if (first, last) == (0, len(values) - 1):
        return None
    return _measured(values, first, last, images())


def _measured(
    values: NDArray[np.float32], first: int, last: int, images: Iterable[NDArray[np.float32]]
) -> OutlyingValues:
    """The values outside values[first : last + 1]. Values between samples go to the nearer side."""
    from_low = (values[first - 1] + values[first]) / 2 if first else -np.inf
    to_high = (values[last] + values[last + 1]) / 2 if last + 1 < len(values) else np.inf
    low, high, apart, pixels = np.inf, -np.inf, 0, 0
    for image in images:
        measured = image[~np.isnan(image)]
        inside = measured[(measured >= from_low) & (measured <= to_high)]
        pixels += measured.size
        apart += measured.size - inside.size
        if inside.size:
            low, high = min(low, float(inside.min())), max(high, float(inside.max()))
    outside = (*values[:first].tolist(), *values[last + 1 :].tolist())
    return OutlyingValues(outside[:3], apart / max(pixels, 1), low, high)


def words(apart: OutlyingValues, low: float, high: float) -> str:
    """A warning, with the window to give. low, high: the whole range."""
    which = ", ".join(f"{value:.7g}" for value in apart.values)
    taken = 1 - (apart.high - apart.low) / (high - low)
    share = f"{apart.share:.1%}" if apart.share >= 0.001 else "less than 0.1%"
    return (
        f"values such as {which} ({share} of the pixels) take {taken:.0%} of the range {low:.7g} to {high:.7g}, all "
        f"others lie from {apart.low:.7g} to {apart.high:.7g}: if these few stand for nothing measured, or are faults "
        f"of the sensor, give `window` {apart.low:.7g},{apart.high:.7g}"
    )
