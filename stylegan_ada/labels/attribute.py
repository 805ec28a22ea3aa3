"""One thing that images are labelled by, and its part of a label vector."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CATEGORY, YESNO, SEVERAL, NUMBER = KINDS = ("category", "yesno", "several", "number")
NO_YES = ("no", "yes")
STEPS = 5  # of a number that is shown

# of a category or yes/no its text, of a number the number, of several the texts; None: unknown
Value = str | float | tuple[str, ...] | None
Row = tuple[Value, ...]  # a value for each attribute


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """kind: "category", one of `values`; "yesno", a category of "no" and "yes"; "several", any of `values`; "number".

    unknown: whether images may be without a value, which has an embedding of its own then. mean, spread: of a number,
    in its own units, over the images that have one: a label vector holds (number - mean) / spread. low, high: the
    smallest and the largest number seen.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    unknown: bool = False
    mean: float = 0.0
    spread: float = 1.0
    low: float = 0.0
    high: float = 0.0

    @property
    def words(self) -> str:
        """Its kind and values in words."""
        what = f"{self.low:.6g} to {self.high:.6g}" if self.kind == NUMBER else ", ".join(self.values)
        return f"{self.kind}: {what}" + (", or unknown" if self.unknown else "")

    @property
    def width(self) -> int:
        """The length of its slice of a label vector."""
        return (2 if self.kind == NUMBER else len(self.values)) + self.unknown

    def encoded(self, values: Sequence[Value]) -> NDArray[np.float32]:
        """float32 [n, width]: a one for each of `values` that an image has, and a last one where nothing is known.

        Of a number: scaled, and a one beside it where it is known, so that the embedding is affine in the number.
        Numbers beyond what was seen are clipped.
        """
        rows = np.zeros((len(values), self.width), np.float32)
        for row, value in zip(rows, values, strict=True):
            if value is None:
                assert self.unknown, self.name
                row[-1] = 1
            elif isinstance(value, tuple):
                row[[self.values.index(one) for one in value]] = 1
            elif isinstance(value, str):
                row[self.values.index(value)] = 1
            else:
                row[:2] = (self.clipped(value) - self.mean) / self.spread, 1
        return rows

    def known(self, rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """bool [n]: whether slices [n, width] have a value."""
        return rows[:, -1] == 0 if self.unknown else np.ones(len(rows), np.bool_)

    def numbers(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """float64 [n], in its own units, of a number's slices [n, width]; the mean where it is unknown."""
        return rows[:, 0].astype(np.float64) * self.spread + self.mean

    def all_values(self) -> list[Value]:
        """Its values, each alone, without unknown; of a number STEPS from the lowest to the highest seen."""
        if self.kind == NUMBER:
            return [*even_steps(self.low, self.high, STEPS if self.low < self.high else 1)]
        return [(value,) for value in self.values] if self.kind == SEVERAL else [*self.values]

    def clipped(self, number: float) -> float:
        """The nearest number within what was seen."""
        return min(max(number, self.low), self.high)


def even_steps(first: float, last: float, count: int) -> list[float]:
    """Numbers from `first` to `last`, both included, without the last digits that adding up brings: 0.6, and not
    0.6000000000000001."""
    return [float(f"{number:.12g}") for number in np.linspace(first, last, count).tolist()]


def slices(attributes: Sequence[Attribute]) -> list[slice]:
    """The slice of a label vector that each attribute has."""
    ends = np.cumsum([attribute.width for attribute in attributes]).tolist()
    return [slice(end - attribute.width, end) for attribute, end in zip(attributes, ends, strict=True)]


def label_width(attributes: Sequence[Attribute]) -> int:
    """The length of a label vector."""
    return sum(attribute.width for attribute in attributes)


def column_names(attributes: Sequence[Attribute]) -> list[str]:
    """A name for each number of a label vector: "type=mono", "type=" where it is unknown; "age", "age known"."""
    names = []
    for attribute in attributes:
        if attribute.kind == NUMBER:
            names += [attribute.name, f"{attribute.name} known"]
        names += [f"{attribute.name}={value}" for value in attribute.values]
        names += [f"{attribute.name}="] * attribute.unknown
    return names


def encoded_rows(attributes: Sequence[Attribute], rows: Sequence[Row]) -> NDArray[np.float32]:
    """float32 [n, label_width]: the label vectors of rows."""
    if not rows or not attributes:
        return np.zeros((len(rows), label_width(attributes)), np.float32)
    columns = zip(*rows, strict=True)
    return np.concatenate([one.encoded(column) for one, column in zip(attributes, columns, strict=True)], axis=1)
