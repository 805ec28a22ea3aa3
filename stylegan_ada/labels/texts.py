"""Labels as text: "type=mono,degree=0.67"; of several values "defects=scratch;dent", unknown ones "type="."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite

from ..errors import UserError, nearest
from .attribute import NO_YES, NUMBER, SEVERAL, YESNO, Attribute, Value

BITS = {"0": "no", "false": "no", "n": "no", "no": "no", "1": "yes", "true": "yes", "y": "yes", "yes": "yes"}
SPECIAL = re.compile(r"([\\,;=])")
ALL = "all"
JOINT = "-"  # between the values of a combination's name


def label_text(attributes: Sequence[Attribute], row: Sequence[Value]) -> str:
    """The text of a label with a value for each attribute; `parse_label` reads it."""
    return ",".join(
        f"{_escaped(attribute.name)}={value_text(value, escape=True)}"
        for attribute, value in zip(attributes, row, strict=True)
    )


def value_text(value: Value, *, escape: bool = False) -> str:
    """The text of a value, as a table has it; "" if it is unknown."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(_escaped(one) if escape else one for one in value)
    return repr(value).removesuffix(".0") if isinstance(value, float) else _escaped(value) if escape else value


def combination_name(attributes: Sequence[Attribute], row: Sequence[Value]) -> str:
    """The short name of a row's values, numbers left out: "mono-0.67", "crack", "no crack", "scratch+dent"; "all" where
    there are numbers alone."""
    parts = [
        _short(attribute, value) for attribute, value in zip(attributes, row, strict=True) if attribute.kind != NUMBER
    ]
    return JOINT.join(parts) or ALL


def parse_label(attributes: Sequence[Attribute], text: str) -> dict[str, Value]:
    """The values that "type=mono,degree=0.67" names, by the attribute's name. UserError for anything else."""
    by_name = {attribute.name: attribute for attribute in attributes}
    found: dict[str, Value] = {}
    for part in split_unescaped(text, ","):
        name, *rest = split_unescaped(part, "=")
        name = unescaped(name).strip()
        if len(rest) != 1:
            raise UserError(f"`label` {text}: {part!r} is not ATTRIBUTE=VALUE")
        if name not in by_name:
            raise UserError(f"`label` {text}: no attribute {name!r}, {nearest(name, by_name)}")
        if name in found:
            raise UserError(f"`label` {text}: {name!r} is named twice, once is enough")
        found[name] = parse_value(by_name[name], rest[0].strip())
    return found


def parse_value(attribute: Attribute, text: str, option: str = "label") -> Value:
    """The value that a text of `value_text` with escapes stands for. UserError, which names the option, if there is no
    such value."""
    where = f"`{option}` {attribute.name}={text}"
    if not text:
        if not attribute.unknown:
            raise UserError(f"{where}: it was known of every image, give a value")
        return None
    if attribute.kind == NUMBER:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            raise UserError(f"{where}: give a number, such as {attribute.mean:.4g}")
        return number
    if attribute.kind == SEVERAL:
        named = {_known(attribute, unescaped(one).strip(), where) for one in split_unescaped(text, ";")}
        return tuple(value for value in attribute.values if value in named)
    value = unescaped(text)
    if attribute.kind == YESNO:
        value = BITS.get(value.lower(), value)
    return _known(attribute, value, where)


def _known(attribute: Attribute, value: str, where: str) -> str:
    if value not in attribute.values:
        raise UserError(f"{where}: no such value, {nearest(value, attribute.values)}")
    return value


def parse_values(attributes: Sequence[Attribute], text: str) -> dict[str, Value] | None:
    """The values that "mono-0.67" or "mono" names, by the attribute's name; None where a part of it is no value, or
    that of several attributes."""
    owners: dict[str, list[tuple[str, Value]]] = {}
    for attribute in attributes:
        for value in attribute.values:
            own: Value = (value,) if attribute.kind == SEVERAL else value
            owners.setdefault(_short(attribute, own), []).append((attribute.name, own))
    return _pieces(text, owners)


def _pieces(text: str, owners: Mapping[str, list[tuple[str, Value]]]) -> dict[str, Value] | None:
    """The values that `text` is joined of, each of another attribute; None if there are none, or it may be two."""
    solutions: list[dict[str, Value]] = []
    for short, of in owners.items():
        if text != short and not text.startswith(short + JOINT):
            continue
        rest = text[len(short) + 1 :]
        tail = {} if text == short else _pieces(rest, owners)
        if tail is not None:
            solutions += [{name: value, **tail} for name, value in of if name not in tail]
    distinct = [one for index, one in enumerate(solutions) if one not in solutions[:index]]
    return distinct[0] if len(distinct) == 1 else None


def _short(attribute: Attribute, value: Value) -> str:
    if value is None:
        return f"{attribute.name}?"
    if attribute.kind == YESNO:
        return attribute.name if value == NO_YES[1] else f"no {attribute.name}"
    return "+".join(value) if isinstance(value, tuple) else str(value)


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)


def unescaped(text: str) -> str:
    """The text that one with backslashes stands for."""
    return re.sub(r"\\(.)", r"\1", text)


def split_unescaped(text: str, separator: str) -> list[str]:
    """The parts between separators that have no backslash before them; escapes stay."""
    if "\\" not in text:
        return text.split(separator)
    parts, start, place = [], 0, 0
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == separator:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [*parts, text[start:]]
