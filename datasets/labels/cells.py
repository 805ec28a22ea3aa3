"""The values that cells of text stand for: of a table, of folders' names, of parts of class names."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...config.attributes import AskedAttribute
from ...errors import UserError
from ...labels.attribute import CATEGORY, NUMBER, SEVERAL, YESNO, Value
from ...labels.texts import BITS
from .class_names import merge_alike

PART = ";"  # between several values
YES_NO = BITS | {"0.0": "no", "1.0": "yes"}


class Cell(NamedTuple):
    """A text, and where it stands, in words."""

    text: str
    place: str


def parse_cells(asked: AskedAttribute, cells: Sequence[Cell]) -> tuple[str, list[Value], list[str]]:
    """The attribute's kind, the value of each cell (None of an empty one), and notes on values that look the same.
    UserError, with the first place, for cells that do not fit the kind."""
    kind = asked.kind or (SEVERAL if any(len(_parts(cell.text)) > 1 for cell in cells) else CATEGORY)
    if kind == NUMBER:
        return kind, _parsed(asked.name, cells, parse_number, "numbers", _number_remedy), []
    if kind == YESNO:
        return kind, _parsed(asked.name, cells, _yes_no, "yes or no", _yes_no_remedy), []
    texts = [_parts(cell.text) if kind == SEVERAL else [cell.text.strip()] for cell in cells]
    value_of, same = merge_alike((one for own in texts for one in own), "value")
    found: list[Value] = []
    for own in texts:
        values = tuple(dict.fromkeys(value_of[one] for one in own if one))
        found.append(None if not values else values if kind == SEVERAL else values[0])
    return kind, found, [f"attribute {asked.name!r}: {line}" for line in same]


def parse_number(text: str) -> float | None:
    """The finite number that a text is; None if it is none."""
    try:
        number = float(text) + 0.0  # no -0
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(PART) if part.strip()]


def _yes_no(text: str) -> str | None:
    return YES_NO.get(text.lower())


def _parsed(
    name: str, cells: Sequence[Cell], parse: Callable[[str], Value], what: str, remedy: Callable[[str], str]
) -> list[Value]:
    texts = [cell.text.strip() for cell in cells]
    found = [parse(text) if text else None for text in texts]
    wrong = [index for index, text in enumerate(texts) if text and found[index] is None]
    if wrong:
        first = wrong[0]
        raise UserError(
            f"attribute {name!r}: {len(wrong)} of {len(cells)} cells are not {what} (first: {texts[first]!r:.80}, "
            f"{cells[first].place}): {remedy(texts[first])}"
        )
    return found


def _number_remedy(text: str) -> str:
    if parse_number(text.replace(",", ".")) is not None:
        return f"write {text.replace(',', '.')}"
    return "write finite numbers, nothing where it is unknown, or take it as a category"


def _yes_no_remedy(text: str) -> str:
    return "write yes or no, nothing where it is unknown, or take it as a category"
