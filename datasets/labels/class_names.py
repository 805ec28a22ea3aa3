"""The names of classes: which are one class, in which order they come, and which are easily confused."""

import re
from collections.abc import Iterable
from decimal import Decimal
from unicodedata import normalize

from ...errors import UserError
from ..reading.sources import is_text

LONGEST = 255  # characters of a class's name, as of a folder's
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?(e[+-]?\d{1,4})?", re.IGNORECASE)


def class_order(labels: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels, sorted; by value if all of them are numbers, so that 10 comes after 2, and 2 after 0.5.

    UserError for a name that is too long to be shown, or no text.
    """
    distinct = sorted(set(labels))
    for label in distinct:
        if len(label) > LONGEST or not is_text(label):
            raise UserError(f"{label!r:.80} is no name of a class: give text of at most {LONGEST} characters in UTF-8")
    if all(NUMBER.fullmatch(label) for label in distinct):
        distinct.sort(key=Decimal)
    return tuple(distinct)


def merge_alike(labels: Iterable[str], one: str = "class") -> tuple[dict[str, str], list[str]]:
    """Label -> the class that it is of, and notes, which call it `one`. What looks the same is one class: composed and
    decomposed letters, with blanks around them or none."""
    class_of = {label: normalize("NFC", label.strip()) or label for label in labels}
    written: dict[str, list[str]] = {}
    for label, name in class_of.items():
        written.setdefault(name, []).append(label)
    several = [labels for labels in written.values() if len(labels) > 1]
    return class_of, [f"{' and '.join(map(repr, labels))} look the same: they are one {one}" for labels in several]


def alike_warnings(classes: Iterable[str], those: str = "classes") -> list[str]:
    """A line for each name that is there more than once but for case and blanks, or as a number. those: what it calls
    them."""
    written: dict[str | Decimal, list[str]] = {}
    for name in classes:
        same = Decimal(name) if NUMBER.fullmatch(name) else " ".join(name.casefold().split())
        written.setdefault(same, []).append(name)
    how = {True: "differ only by case or blanks", False: "are one number"}
    return [
        f"{those} {' and '.join(map(repr, names))} {how[isinstance(same, str)]}: give them one name if they are one"
        for same, names in written.items()
        if len(names) > 1
    ]
