"""One attribute taken through values: "degree=0:1:5", "type=mono:poly", or "type" for all that there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UserError
from .attribute import NUMBER, STEPS, Attribute, Row, Value, even_steps
from .label_space import LabelSpace
from .texts import label_text, parse_value, split_unescaped, unescaped

MOST_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """place: of the attribute in a row. values: those that it takes, in order, at least 2."""

    attribute: Attribute
    place: int
    values: tuple[Value, ...]

    def rows(self, row: Row) -> list[Row]:
        """The label, once with each of the values, with all else as it is."""
        return [(*row[: self.place], value, *row[self.place + 1 :]) for value in self.values]


def parse_sweep(space: LabelSpace, text: str) -> tuple[Sweep, list[str]]:
    """The sweep that a text stands for, and a line on each end of it that is clipped to what training saw.

    NAME=FROM:TO:STEPS of a number, both ends included; NAME=VALUE:VALUE:... of others; NAME for all values, of a number
    STEPS of them from the lowest to the highest. UserError for anything else, and for fewer than 2 values.
    """
    name, *rest = split_unescaped(text, "=")
    attribute = space.attribute(unescaped(name).strip(), "vary")
    remarks: list[str] = []
    if len(rest) > 1:
        raise UserError(f"`vary` {text}: give ATTRIBUTE=VALUE:VALUE, with a backslash before a = that is part of one")
    if not rest:
        values = attribute.all_values()
    elif attribute.kind == NUMBER:
        values, remarks = _steps(space, attribute, split_unescaped(rest[0], ":"))
    else:
        values = [parse_value(attribute, part.strip(), "vary") for part in split_unescaped(rest[0], ":")]
    if len(values) < 2:
        raise UserError(f"`vary` {text}: there is only one value, give 2 or more")
    place = space.attributes.index(attribute)
    return Sweep(attribute=attribute, place=place, values=tuple(values)), remarks


def labels_by(space: LabelSpace, name: str) -> list[str]:
    """A label for each value of an attribute, which names nothing else. UserError where it is a number, or unknown."""
    attribute = space.attribute(name, "by")
    if attribute.kind == NUMBER:
        others = ", ".join(repr(one.name) for one in space.attributes if one.kind != NUMBER)
        raise UserError(f"`by` {name}: it is a number, it takes an attribute with few values ({others or 'none here'})")
    return [label_text([attribute], [value]) for value in attribute.all_values()]


def _steps(space: LabelSpace, attribute: Attribute, parts: Sequence[str]) -> tuple[list[Value], list[str]]:
    """The numbers, clipped, and what is to be said of it."""
    if len(parts) != 3 or not parts[2].strip().isdecimal():
        example = f"{attribute.name}={attribute.low:.4g}:{attribute.high:.4g}:{STEPS}"
        raise UserError(f"`vary` {attribute.name}={':'.join(parts)}: give FROM:TO:STEPS, such as {example}")
    if int(parts[2]) > MOST_STEPS:
        raise UserError(f"`vary` {attribute.name}={':'.join(parts)}: give at most {MOST_STEPS} steps")
    first, last = (parse_value(attribute, part.strip(), "vary") for part in parts[:2])
    if not isinstance(first, float) or not isinstance(last, float):
        raise UserError(f"`vary` {attribute.name}={':'.join(parts)}: give a number for both ends")
    texts = [label_text([attribute], [number]) for number in dict.fromkeys((first, last))]
    remarks = [line for text in texts for line in space.remarks(text, "vary")]
    return [attribute.clipped(number) for number in even_steps(first, last, int(parts[2]))], remarks
