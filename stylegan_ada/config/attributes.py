"""What `attributes` asks for: columns, folder levels or parts of class names, each with a kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UserError, nearest
from ..labels.attribute import KINDS, Attribute

GIVE = "give names with commas between them, each with a kind or without: type,degree:number,crack:yesno"


@dataclass(frozen=True)
class AskedAttribute:
    """kind: one of `labels.attribute.KINDS`; None: "several" where a cell has several texts, else "category"."""

    name: str
    kind: str | None = None


def parse_attributes(text: str | None) -> tuple[AskedAttribute, ...]:
    """ "type,degree:number" -> its attributes; None -> (). UserError for a kind unknown, a name twice or empty."""
    if text is None:
        return ()
    found: list[AskedAttribute] = []
    for part in text.split(","):
        asked = _parse_one(part, text)
        if any(one.name == asked.name for one in found):
            raise UserError(f"`attributes` {text:.200}: {asked.name!r} is named twice, once is enough")
        found.append(asked)
    return tuple(found)


def _parse_one(part: str, text: str) -> AskedAttribute:
    name, colon, kind = map(str.strip, part.rpartition(":") if ":" in part else (part, "", ""))
    if not name:
        raise UserError(f"`attributes` {text!r:.200}: a name is empty, {GIVE}")
    if colon and kind not in KINDS:
        raise UserError(f"`attributes` {part.strip():.200}: no kind {kind!r}, {nearest(kind, KINDS)}")
    return AskedAttribute(name, kind if colon else None)


def asked_of(attributes: Sequence[Attribute]) -> tuple[AskedAttribute, ...]:
    """The attributes to read another set by, as these were read."""
    return tuple(AskedAttribute(one.name, one.kind) for one in attributes)
