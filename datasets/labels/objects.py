"""Labels of dataset.json that are objects, as one class each: the combination of their values."""

from collections.abc import Mapping, Sequence
from math import isfinite

from ...labels.attribute import CATEGORY, NUMBER, SEVERAL, YESNO, Attribute, Value
from ...labels.texts import combination_name
from .files import cell_text


def names_of_objects(labels: Sequence[Mapping[str, object]]) -> list[str]:
    """The name of each label's combination of values, {"type": "mono", "degree": 0.67} -> "mono": numbers are left out,
    unless they stand where other labels have something else."""
    keys = dict.fromkeys(key for label in labels for key in label)
    attributes = [Attribute(name=key, kind=_kind([label.get(key) for label in labels])) for key in keys]
    return [combination_name(attributes, [_value(one, label.get(one.name)) for one in attributes]) for label in labels]


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
