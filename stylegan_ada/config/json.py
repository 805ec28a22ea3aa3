"""Dataclasses to JSON text and back, with errors that name the key, and with the names that fields had before."""

import dataclasses
import json
import types
import typing
from typing import Any, TypeVar

from ..errors import UserError, nearest

T = TypeVar("T")
OLD_NAMES = {  # of fields before version 0.2.0, in the config.json of old runs
    "DataConfig": {"source": "data", "labels": "no_labels"},
    "AugmentConfig": {
        "groups": "augment",
        "extra": "augment_extra",
        "signal": "ada_signal",
        "target": "ada_target",
        "kimg": "ada_kimg",
        "maximum": "ada_max",
        "p": "ada_p",
    },
    "TrainingConfig": {"r1_gamma": "gamma"},
}


def to_json(config: Any) -> str:
    """A dataclass as JSON text."""
    return json.dumps(dataclasses.asdict(config), indent=2)


def from_json(kind: type[T], text: str) -> T:
    """The dataclass `kind` from JSON text. An unknown, missing or ill-typed key is a UserError that names it."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise UserError(f"not valid JSON ({error})") from None
    return _build(kind, values, kind.__name__)


def _build(kind: Any, value: Any, where: str) -> Any:
    """`value`, as JSON gives it, as the annotated type `kind`."""
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        options = [option for option in typing.get_args(kind) if option is not type(None)]
        return None if value is None else _build(options[0], value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_build(typing.get_args(kind)[0], item, where) for item in value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if origin is None and type(value) is kind:
        return value
    raise UserError(f"{where}: {value!r} is not of type {getattr(kind, '__name__', kind)}")


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise UserError(f"{where}: {value!r} is not an object")
    value = with_new_names(kind, value)
    hints = typing.get_type_hints(kind)
    for key in value:
        if key not in hints:
            raise UserError(f"{where}: unknown key {key!r}, {nearest(key, hints)}")
    for item in dataclasses.fields(kind):
        needed = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if needed and item.name not in value:
            raise UserError(f"{where}: the key {item.name!r} is missing")
    return kind(**{key: _build(hints[key], item, f"{where}.{key}") for key, item in value.items()})


def with_new_names(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a dataclass from JSON, by the names that its fields have now."""
    old_names = OLD_NAMES.get(kind.__name__, {})
    new = {old_names.get(name, name): value for name, value in values.items()}
    if old_names.get("labels") and isinstance(values.get("labels"), bool):
        new["no_labels"] = not values["labels"]  # the opposite
    return new
