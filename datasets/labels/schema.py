"""Attributes as the images of a set have them: their values, the combinations that occur, what is odd about them."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import UserError
from ...labels.attribute import NO_YES, NUMBER, SEVERAL, YESNO, Attribute, Row, Value
from ...labels.texts import combination_name, label_text
from .class_names import alike_warnings, class_order

MOST_VALUES = 1000
LARGEST, SMALLEST = 1e30, 1e-30  # of a number, and of a spread: label vectors are float32

Kind = tuple[str, str]  # an attribute's name and kind


@dataclass(frozen=True)
class Schema:
    """attributes: with the values that images have. rows: of the images, several values in the attribute's order.
    classes: the combinations of values, numbers left out, that images have; indices: each image's."""

    attributes: tuple[Attribute, ...]
    rows: list[Row]
    classes: tuple[str, ...]
    indices: list[int]


def schema_of(kinds: Sequence[Kind], rows: Sequence[Row]) -> Schema:
    """The schema of images with these values, one for each of `kinds`. UserError for an attribute that has no value,
    one alone, or too many, or numbers that float32 cannot tell apart."""
    columns = [[row[index] for row in rows] for index in range(len(kinds))]
    attributes = tuple(_attribute(kind, column) for kind, column in zip(kinds, columns, strict=True))
    ordered = [tuple(map(_ordered, attributes, row)) for row in rows]
    keys = [tuple(map(_key, attributes, row)) for row in ordered]
    row_of = dict(zip(keys, ordered, strict=True))
    places = {key: index for index, key in enumerate(sorted(row_of))}
    return Schema(
        attributes, ordered, _names(attributes, [row_of[key] for key in places]), [places[key] for key in keys]
    )


def schema_warnings(attributes: Sequence[Attribute], rows: Sequence[Row]) -> list[str]:
    """Lines on values that are easily confused, and on values that one image has."""
    lines = [f"attribute {one.name!r}: {line}" for one in attributes for line in alike_warnings(one.values, "values")]
    for index, attribute in enumerate(attributes):
        counts = value_counts(attribute, [row[index] for row in rows])
        single = [value for value, count in counts.items() if count == 1]
        if single:
            more = f" and {len(single) - 1} other values have" if len(single) > 1 else " has"
            lines.append(f"attribute {attribute.name!r}: {single[0]!r:.80}{more} one image only")
    return lines


def value_counts(attribute: Attribute, column: Sequence[Value]) -> dict[str, int]:
    """The number of images that have each of the values; {} for numbers."""
    counts = Counter(
        one for value in column if value is not None for one in (value if isinstance(value, tuple) else (value,))
    )
    return {value: counts[value] for value in attribute.values}


def _attribute(kind: Kind, column: Sequence[Value]) -> Attribute:
    name, what = kind
    known = [value for value in column if value is not None]
    unknown = len(known) < len(column)
    if not known:
        raise UserError(f"attribute {name!r} is empty throughout: fill it in, or leave it out of `attributes`")
    if what == NUMBER:
        return _number(name, [value for value in known if isinstance(value, float)], unknown)
    found = {one for value in known for one in (value if isinstance(value, tuple) else (value,))}
    if len(found) == 1:
        hint = ", or fill in what is empty" if unknown else ""
        raise _one_value(name, f"{next(iter(found))!r:.80}", hint)
    if len(found) > MOST_VALUES:
        raise UserError(
            f"attribute {name!r} has {len(found)} values, more than {MOST_VALUES}: if it is a number write "
            f"{name}:number in `attributes`, otherwise leave it out"
        )
    values = NO_YES if what == YESNO else class_order(str(one) for one in found)
    return Attribute(name=name, kind=what, values=values, unknown=unknown)


def _number(name: str, numbers: Sequence[float], unknown: bool) -> Attribute:
    low, high = min(numbers), max(numbers)
    if low == high:
        raise _one_value(name, f"{low:.9g}", "")
    spread = 0.0
    if max(abs(low), abs(high)) < LARGEST:
        mean = math.fsum(numbers) / len(numbers)  # exact sums: the same on all machines
        spread = math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / len(numbers))
    if spread < SMALLEST:
        raise UserError(
            f"attribute {name!r} has numbers from {low:.9g} to {high:.9g}, too large or too close to tell apart: write "
            "them in another unit"
        )
    return Attribute(name=name, kind=NUMBER, unknown=unknown, mean=mean, spread=spread, low=low, high=high)


def _one_value(name: str, value: str, hint: str) -> UserError:
    return UserError(
        f"attribute {name!r} has one value only, {value}, and there is nothing to learn: leave it out of "
        f"`attributes`{hint}"
    )


def _ordered(attribute: Attribute, value: Value) -> Value:
    return tuple(sorted(value, key=attribute.values.index)) if isinstance(value, tuple) else value


def _key(attribute: Attribute, value: Value) -> tuple[int, ...]:
    """Sorts combinations by values, unknown ones last. Numbers do not count."""
    if attribute.kind == NUMBER:
        return ()
    if value is None:
        return (len(attribute.values),)
    places = value if attribute.kind == SEVERAL and isinstance(value, tuple) else (value,)
    return tuple(attribute.values.index(str(one)) for one in places)


def _names(attributes: Sequence[Attribute], rows: Sequence[Row]) -> tuple[str, ...]:
    """Short names; where two of them were the same, long ones for all."""
    short = tuple(combination_name(attributes, row) for row in rows)
    if len(set(short)) == len(short):
        return short
    pairs = [[(one, value) for one, value in zip(attributes, row, strict=True) if one.kind != NUMBER] for row in rows]
    return tuple(label_text([one for one, _ in own], [value for _, value in own]) for own in pairs)
