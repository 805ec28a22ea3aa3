"""Which images belong together, such as those of one patient: the `group` column of labels.csv."""

import csv
from collections.abc import Mapping

from ..errors import UserError
from .sources import Source

COLUMN = "group"


def read_groups(source: Source) -> Mapping[str, str] | None:
    """Image name -> group, of a labels.csv that `read_labels` takes; None where it has no such column.

    UserError for a line without a group.
    """
    if "labels.csv" not in source.label_files:
        return None
    reader = csv.DictReader(source.read("labels.csv").decode("utf-8-sig").splitlines(), skipinitialspace=True)
    if COLUMN not in (reader.fieldnames or []):
        return None
    groups = {}
    for row in reader:
        group = (row[COLUMN] or "").strip()
        if not group:
            raise UserError(f"labels.csv line {reader.line_num} lacks a group: complete it, or remove the column")
        groups[plain_name(row["file"].strip())] = group
    return groups


def plain_name(name: str) -> str:
    """A file's name as sources have it."""
    return name.replace("\\", "/").removeprefix("./")
