"""The group of an image (a patient, a part), told from its path."""

import re
from collections.abc import Callable
from unicodedata import normalize

from ..errors import UserError

GIVE = "give folder:2, the folder at that level from 1 at the top, or name:PATTERN, a regular expression"


def group_rule(text: str) -> Callable[[str], str | None]:
    """ "folder:2" or "name:(P\\d+)_" -> a function of a path with "/" between its folders: its group, None where it has
    none. Forms of Unicode do not count. UserError for text that is neither."""
    kind, _, what = text.partition(":")
    if kind == "folder" and re.fullmatch("[1-9][0-9]{0,3}", what):
        return lambda path: _folder(path, int(what))
    if kind != "name" or not what:
        raise UserError(f"`groups` {text!r:.200}: {GIVE}")
    try:
        pattern = re.compile(normalize("NFC", what))
    except (re.error, OverflowError, RecursionError) as error:
        raise UserError(f"`groups` {text!r:.200}: this is no regular expression ({error}), {GIVE}") from None
    return lambda path: _found(pattern, path)


def _folder(path: str, level: int) -> str | None:
    folders = normalize("NFC", path).split("/")[:-1]
    return folders[level - 1].strip() if len(folders) >= level else None


def _found(pattern: re.Pattern[str], path: str) -> str | None:
    """The pattern's first group if it has any, otherwise all that matches. Where that is empty there is none, or all
    such images would be of one group."""
    match = pattern.search(normalize("NFC", path))
    return (match[min(pattern.groups, 1)] or None) if match else None
