"""The settings of a configuration's field beside its type and default: its option, its help, its range."""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import UserError, nearest


@dataclass(frozen=True)
class Range:
    """Finite numbers from `low` to `high`, or between them if the ends do not belong to it."""

    words: str  # after "give"
    low: float
    high: float = math.inf
    ends: bool = True

    def __contains__(self, value: float) -> bool:
        return (self.low <= value <= self.high if self.ends else self.low < value < self.high) and value < math.inf


REQUIRED: Any = dataclasses.MISSING  # no default
POSITIVE = Range("more than 0", 0, ends=False)
NOT_NEGATIVE = Range("0 or more", 0)
COUNT = Range("1 or more", 1)
PROBABILITY = Range("a probability from 0 to 1", 0, 1)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The metadata of a field."""

    help: str  # of the option of `train` with the field's name; "" where it is none
    within: Range | None
    choices: tuple[str, ...]  # of the value, or of each item of a tuple
    chosen_by: str | None  # what the value is chosen by where none is given
    unset: str | None  # what stands in place of the default in the help, where that says too little


def setting(
    default: Any,
    help: str = "",
    *,
    within: Range | None = None,
    choices: tuple[str, ...] = (),
    chosen_by: str | None = None,
    unset: str | None = None,
) -> Any:
    """A dataclass's field with that default, or none where it is REQUIRED; the others as in `Setting`."""
    about = Setting(help=help, within=within, choices=choices, chosen_by=chosen_by, unset=unset)
    return dataclasses.field(default=default, metadata={"setting": about})


def settings(config: Any) -> Iterator[tuple[dataclasses.Field[Any], Setting]]:
    """The fields of a dataclass, or of an instance of one, that have a setting."""
    for field in dataclasses.fields(config):
        if "setting" in field.metadata:
            yield field, field.metadata["setting"]


def check(config: Any) -> None:
    """Raises UserError for the first field beyond its range or choices: "`field` value: what to do".

    A field that is no option is named Class.field.
    """
    for field, about in settings(config):
        value = getattr(config, field.name)
        name = f"`{field.name}`" if about.help else f"{type(config).__name__}.{field.name}"
        for item in value if isinstance(value, tuple) else (value,):
            if item is None:
                continue
            if about.choices and item not in about.choices:
                raise UserError(f"{name} {item}: no such choice, {nearest(item, about.choices)}")
            if about.within is not None and item not in about.within:
                raise UserError(f"{name} {item}: give {about.within.words}")


def require(ok: bool, message: str) -> None:
    """Raises a UserError of this message unless `ok`."""
    if not ok:
        raise UserError(message)
