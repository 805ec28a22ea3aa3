"""Attributes that a set seems to have: columns of a table, parts of class names, levels of folders."""

from collections.abc import Collection, Mapping, Sequence

from ...labels.attribute import NUMBER, SEVERAL, YESNO
from .cells import PART, YES_NO, parse_number
from .class_names import LONGEST
from .files import GROUP, SPLIT
from .schema import MOST_VALUES

CATEGORIES = 12  # of numbers: with more they are taken as numbers
IMAGES = 10  # of a value on average: many values with fewer name what is shown, such as a patient
SEPARATORS = "-_"


def proposed_columns(rows: Sequence[Mapping[str, str]], leave_out: Collection[str]) -> list[str]:
    """Columns that look like labels, as `attributes` takes them ("degree:number"), in the table's order.

    Columns of one value, of whole numbers that are all different, of many texts with few images each, and those that
    say what an earlier one says, do not.
    """
    found: dict[tuple[str, ...], str] = {}
    for name in rows[0] if rows else ():
        column = tuple(row[name].strip() for row in rows)
        if name in {GROUP, SPLIT, "", *leave_out} or "," in name or ":" in name or column in found:
            continue
        kind = _kind(column)
        if kind is not None:
            found[column] = name + kind
    return list(found.values())


def _kind(column: Sequence[str]) -> str | None:
    """ ":number" and the like, "" for a category; None for no label."""
    cells = [cell for cell in column if cell]
    values = set(cells)
    if len(values) < 2:
        return None
    if len({YES_NO.get(value.lower()) for value in values} - {None}) == 2 == len(values):
        return f":{YESNO}"
    different = len(values) == len(cells)
    if different and all(map(str.isdecimal, values)) and len(values) > CATEGORIES:
        return None  # numbers of images
    if all(parse_number(value) is not None for value in values):
        return f":{NUMBER}" if len(values) > CATEGORIES else ""
    parts = {part.strip() for value in values for part in value.split(PART)}
    if len(parts) > MOST_VALUES or max(map(len, parts)) > LONGEST:
        return None
    if any(PART in value for value in values):
        return f":{SEVERAL}"
    names = len(values) > CATEGORIES and len(cells) < IMAGES * len(values)
    return None if different or names else ""


def proposed_separator(classes: Sequence[str]) -> tuple[str, int] | None:
    """What parts all classes' names into the same number of parts, of which there are fewer than names, and that
    number; None if nothing does."""
    for separator in SEPARATORS:
        names = [name.split(separator) for name in classes]
        counts = {len(parts) for parts in names}
        if len(counts) != 1 or counts == {1} or not all(map(all, names)):
            continue
        distinct = [len(set(column)) for column in zip(*names, strict=True)]
        if min(distinct) > 1 and sum(distinct) < len(names):
            return separator, len(distinct)
    return None


def proposed_levels(paths: Collection[str]) -> int:
    """The number of folder levels, from the top, that look like attributes: those of each level lie below several of
    the levels above. 0 or 1 if there are no two such levels."""
    levels = [path.split("/")[:-1] for path in paths]
    depth = min(map(len, levels), default=0)
    for level in range(1, depth):
        names = {folders[level] for folders in levels}
        folders_of = {tuple(folders[: level + 1]) for folders in levels}
        if len(names) < 2 or 2 * len(names) > len(folders_of):
            return level
    return depth
