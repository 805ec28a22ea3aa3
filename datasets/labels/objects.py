"""Labels of dataset.json that are objects, as one class each: the combination of their values."""

from collections.abc import Sequence
from math import isfinite

from ...labels.attribute import CATEGORY, NUMBER, SEVERAL, YESNO, Attribute, Value
from ...labels.texts import combination_name
from .files import Entry, cell_text


def entries_of_objects(labels: Sequence[tuple[str, object]]) -> list[Entry]:
    """Entries of dataset.json with objects as labels, whose keys become columns.

    An entry's label is the combination of its values, {"type": "mono", "degree": 0.67} -> "mono": numbers are left out,
    unless they stand where others have something else.
    """
    objects = [label for _, label in labels if isinstance(label, dict)]
    keys = dict.fromkeys(key for label in objects for key in label)
    attributes = [Attribute(name=key, kind=_kind([label.get(key) for label in objects])) for key in keys]
    entries = []
    for place, ((name, _), label) in enumerate(zip(labels, objects, strict=True), start=1):
        combination = combination_name(attributes, [_value(one, label.get(one.name)) for one in attributes])
        row = {"file": name, "label": combination} | {key: cell_text(label.get(key)) for key in keys}
        entries.append(Entry(f"entry {place}", name, combination, row))
    return entries


def _kind(values: Sequence[object]) -> str:
    kinds = {_kind_of(value) for value in values if value is not None}
    return kinds.pop() if len(kinds) == 1 else CATEGORY


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return YESNO
    if isinstance(value, list):
        return SEVERAL
    return NUMBER if isinstance(value, int | float) and isfinite(value) else CATEGORY


def _value(attribute: Attribute, value: object) -> Value:
    if attribute.kind == SEVERAL and isinstance(value, list):
        return tuple(sorted(set(map(cell_text, value)))) or None
    return cell_text(value) or None
