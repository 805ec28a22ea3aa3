"""The masks of a set's images, as a user asks for them: where they lie, and what their values stand for."""

import re
from dataclasses import dataclass

from ..errors import UserError, nearest

BESIDE, ALPHA = "auto", "alpha"  # in place of a folder or file: masks beside the images; their transparency
REFUSED, BACKGROUND = "refused", "background"
UNMASKED = (REFUSED, BACKGROUND)  # what comes of an image without a mask
MOST_KINDS = 4
COLOR = 1 << 24  # what a colour's 24 bits are added to, so that none of them is a gray value


@dataclass(frozen=True)
class AskedKind:
    """A kind of what masks show, and one of the values that stand for it: a gray value, a colour + COLOR, or, of
    annotations, a name. optional: no mask need have it."""

    name: str
    value: int | str
    optional: bool = False


def parse_kinds(text: str | None) -> tuple[AskedKind, ...]:
    """ "crack=1,dent=#ff0000,dent=scratch" -> kinds, in their order; what stands alone is its own name. UserError for
    what is no such list, or names too many."""
    if text is None:
        return ()
    kinds = tuple(_kind(text, entry) for entry in text.split(","))
    values = [kind.value for kind in kinds]
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise UserError(f"`mask_kinds` {text:.200}: {value_text(twice)} stands there twice, once is enough")
    if len(kind_names(kinds)) > MOST_KINDS:
        raise UserError(f"`mask_kinds` {text:.200}: {len(kind_names(kinds))} kinds, give up to {MOST_KINDS}")
    return kinds


def _kind(text: str, entry: str) -> AskedKind:
    name, _, value = entry.partition("=") if "=" in entry else (entry, "", entry)
    name, value = name.strip(), value.strip()
    if not name or not value or re.search(r"[/\\\0\n]", name):
        raise UserError(f"`mask_kinds` {text:.200}: give NAME=VALUE, as crack=1,dent=2 or crack=#ff0000")
    if re.fullmatch("#[0-9a-fA-F]{6}", value):
        return AskedKind(name, color_code(int(value[1:], 16)))
    return AskedKind(name, int(value) if re.fullmatch(r"\d{1,7}", value) else value)


def color_code(color: int) -> int:
    """0xRRGGBB as a value of a mask: where red, green and blue are the same it is that gray."""
    red, green, blue = color >> 16, color >> 8 & 255, color & 255
    return red if red == green == blue else COLOR + color


def value_text(value: int | str) -> str:
    """A mask's value as a user writes it."""
    return f"#{value - COLOR:06x}" if isinstance(value, int) and value >= COLOR else str(value)


def kind_names(kinds: tuple[AskedKind, ...]) -> tuple[str, ...]:
    """The names of the kinds, each once, in their order."""
    return tuple(dict.fromkeys(kind.name for kind in kinds))


def check_masks(masks: str | None, kinds: tuple[AskedKind, ...], ignore: int | None, unmasked: str) -> None:
    """Raises UserError for options of masks without masks, and for values that are impossible."""
    if unmasked not in UNMASKED:
        raise UserError(f"`unmasked` {unmasked}: no such choice, {nearest(unmasked, UNMASKED)}")
    if masks is None and (kinds or ignore is not None or unmasked != REFUSED):
        raise UserError("`mask_kinds`, `ignore`, `unmasked`: say with `masks` where masks lie, auto for beside images")
    if masks == ALPHA and (kinds or ignore is not None or unmasked != REFUSED):
        raise UserError("`masks` alpha: transparency has no `mask_kinds`, `ignore` or `unmasked`, leave them out")
    if masks == "":
        raise UserError("`masks` is empty: give auto, alpha, a folder, or an annotations file")
    if ignore is not None and any(kind.value == ignore for kind in kinds):
        raise UserError(f"`ignore` {ignore}: `mask_kinds` names that value, too, leave it out of one of the two")
