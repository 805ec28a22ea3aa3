"""The labels that a generator was trained with, and those that it can be asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError, nearest
from .attribute import CATEGORY, NUMBER, Attribute, Row, Value, encoded_rows, label_width
from .texts import combination_name, label_text, parse_label, parse_values

NEAREST = 0.1  # of the rows that have the named values, those nearest by the named numbers


class LabelSpace:
    """The attributes, the classes (the combinations of values that images have, numbers left out), and the distinct
    labels of the training images with their counts, from which what is not named is drawn.

    Flat classes are one attribute, named "class".
    """

    def __init__(
        self,
        classes: Sequence[str],
        class_counts: Sequence[int],
        attributes: Sequence[Attribute] = (),
        labels: Sequence[str] = (),
        label_counts: Sequence[int] = (),
    ):
        """labels: their texts, with a value for each attribute; label_counts: images of each. Without attributes the
        classes are the labels."""
        self.classes = tuple(classes)
        self.is_flat = not attributes
        of_classes = Attribute(name="class", kind=CATEGORY, values=self.classes)
        self.attributes = tuple(attributes) or (of_classes,) * bool(classes)
        if self.is_flat:
            self.rows: list[Row] = [(name,) for name in classes]
            self.counts = np.array(class_counts, np.int64)
        else:
            self.rows = [self._whole(parse_label(attributes, text)) for text in labels]
            self.counts = np.array(label_counts, np.int64)

    @property
    def width(self) -> int:
        """The length of a label vector."""
        return label_width(self.attributes)

    def class_of(self, row: Row) -> str:
        """The class of a label; the name that it would have where no training image had that combination."""
        if self.is_flat:
            return str(row[0])
        return combination_name(self.attributes, row) if self._short_names else self._long_name(row)

    def drawn(self, labels: Sequence[str | None], positions: Sequence[float] | NDArray[np.float64]) -> list[Row]:
        """A value for each attribute for each of `labels` and a position in [0, 1): those that the label names, and the
        others of the training image at this share of the images that have the named ones. None names nothing.

        Named numbers are clipped to what was seen. Of images that have named values those count that have named numbers
        nearly. Where no image has all of the named values, those count that have most of them.
        """
        rows: list[Row] = [()] * len(labels)
        places_of: dict[str | None, list[int]] = {}
        for place, label in enumerate(labels):
            places_of.setdefault(label, []).append(place)
        for label, places in places_of.items():
            own = self._drawn({} if label is None else self.named(label), np.asarray(positions)[places])
            for place, row in zip(places, own, strict=True):
                rows[place] = row
        return rows

    def _drawn(self, named: Mapping[str, Value], positions: NDArray[np.float64]) -> list[Row]:
        named = {
            name: self.attribute(name, "label").clipped(value) if isinstance(value, float) else value
            for name, value in named.items()
        }
        if len(named) == len(self.attributes):
            return [self._whole(named)] * len(positions)
        chosen, bounds = self._fitting(named)
        places = np.searchsorted(bounds, positions, side="right").clip(max=len(chosen) - 1)
        rows = [self.rows[chosen[place]] for place in places]
        if not named:
            return rows
        return [
            tuple(named.get(attribute.name, own) for attribute, own in zip(self.attributes, row, strict=True))
            for row in rows
        ]

    def named(self, label: str) -> dict[str, Value]:
        """The values that a class's name, or a text of the parsers, stands for. UserError where there are none."""
        if label in self._row_of_class:
            row = self._row_of_class[label]
            return {
                attribute.name: value
                for attribute, value in zip(self.attributes, row, strict=True)
                if attribute.kind != NUMBER
            }
        found = None if "=" in label else parse_values(self.attributes, label)
        if found is not None:
            return found
        if "=" in label:
            return parse_label(self.attributes, label)
        raise UserError(f"`label` {label}: no such class, {nearest(label, self.classes)}")

    def attribute(self, name: str, option: str) -> Attribute:
        """The attribute of a name. UserError, which names the option that gave it, where there is none."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        if not self.attributes:
            raise UserError(f"`{option}` {name}: this generator was trained without labels")
        known = nearest(name, [attribute.name for attribute in self.attributes])
        raise UserError(f"`{option}` {name}: no such attribute, {known}")

    def remarks(self, label: str, option: str = "label") -> list[str]:
        """A line on each number of a label that is clipped, since it lies beyond what was seen in training."""
        lines = []
        for name, value in self.named(label).items():
            attribute = self.attribute(name, option)
            if isinstance(value, float) and attribute.clipped(value) != value:
                lines.append(
                    f"`{option}` {name}={value:.9g}: training saw {attribute.low:.9g} to {attribute.high:.9g}, "
                    f"{attribute.clipped(value):.9g} is taken"
                )
        return lines

    def vectors(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """float32 [n, width]: the label vectors of labels with a value for each attribute."""
        return encoded_rows(self.attributes, rows)

    def shown(self, most: int) -> list[str]:
        """Labels for the rows of a picture, at most so many: the classes, or each value of each attribute, of a number
        five from the lowest to the highest."""
        if self.is_flat:
            return list(self.classes[:most])
        each = max(1, most // len(self.attributes))
        texts = [
            label_text([attribute], [value]) for attribute in self.attributes for value in attribute.all_values()[:each]
        ]
        return texts[:most]

    def text(self, row: Row) -> str:
        """A label's text: a class's name where classes are flat."""
        return str(row[0]) if self.is_flat else label_text(self.attributes, row)

    def _fitting(self, named: Mapping[str, Value]) -> tuple[list[int], NDArray[np.float64]]:
        """Places of the rows to draw from, and the bounds of their shares."""
        by_value = {name: value for name, value in named.items() if not isinstance(value, float)}
        indices = {attribute.name: index for index, attribute in enumerate(self.attributes)}
        agree = [sum(row[indices[name]] == value for name, value in by_value.items()) for row in self.rows]
        most = max(agree)
        chosen = [place for place, count in enumerate(agree) if count == most]
        numbers = {name: value for name, value in named.items() if isinstance(value, float)}
        if numbers:
            chosen = self._nearest(chosen, numbers, indices)
        counts = self.counts[chosen]
        return chosen, np.cumsum(counts) / counts.sum()

    def _nearest(self, chosen: list[int], numbers: Mapping[str, float], indices: Mapping[str, int]) -> list[int]:
        distances = np.zeros(len(chosen))
        for name, number in numbers.items():
            attribute = self.attributes[indices[name]]
            own = [self.rows[place][indices[name]] for place in chosen]
            apart = [abs(value - number) if isinstance(value, float) else np.inf for value in own]
            distances = np.maximum(distances, np.array(apart) / attribute.spread)
        most = np.sort(distances)[max(0, int(len(chosen) * NEAREST) - 1)]
        return [place for place, distance in zip(chosen, distances, strict=True) if distance <= most]

    def _whole(self, named: Mapping[str, Value]) -> Row:
        return tuple(named[attribute.name] for attribute in self.attributes)

    def _long_name(self, row: Row) -> str:
        """For combinations of which two have the same short name."""
        pairs = [
            (attribute, value)
            for attribute, value in zip(self.attributes, row, strict=True)
            if attribute.kind != NUMBER
        ]
        return label_text([attribute for attribute, _ in pairs], [value for _, value in pairs])

    @cached_property
    def _short_names(self) -> bool:
        return {combination_name(self.attributes, row) for row in self.rows} <= {*self.classes}

    @cached_property
    def _row_of_class(self) -> dict[str, Row]:
        return {self.class_of(row): row for row in self.rows}
