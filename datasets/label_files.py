"""What stands in a label file, labels.csv or dataset.json, before it is held against the images."""

import csv
import io
import json
import struct
import zlib
from collections.abc import Mapping
from zipfile import BadZipFile

from ..errors import UserError, first_line
from .sources import Source

CSV = "labels.csv"
JSON = "dataset.json"
GROUP = "group"
SPLIT = "split"
# what reading a damaged file of a zip, or a file that changes meanwhile, has been seen to raise, and text that is none
DAMAGE = (OSError, EOFError, RuntimeError, ValueError, OverflowError, MemoryError, BadZipFile, struct.error, zlib.error)


def read_text(source: Source, file: str) -> str:
    """A label file's text. UserError, in one line, whatever is wrong with it."""
    try:
        return source.read(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} in {source.place!r} is not UTF-8 ({error.reason}): save it as UTF-8") from None
    except DAMAGE as error:
        raise UserError(f"cannot read {file} in {source.place!r} ({first_line(error)}): make it anew") from None


def parse_csv(text: str) -> list[dict[str, str]]:
    """The rows below the header `file,label`, with further columns for others; `file` is as sources name it."""
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        columns = reader.fieldnames or []
        if "file" not in columns or "label" not in columns:
            found = ",".join(columns)
            raise UserError(
                f"labels.csv must start with the line 'file,label', not {found!r:.80}: "
                "add it, or name the columns so, separated by commas"
            )
        rows = []
        for row in reader:
            name, label = (row["file"] or "").strip(), (row["label"] or "").strip()
            if not name or not label:
                raise UserError(f"labels.csv line {reader.line_num} lacks a file or a label: complete or remove it")
            rows.append({**row, "file": plain_name(name), "label": label, **_group(row, reader.line_num)})
    except csv.Error as error:
        raise UserError(f"labels.csv is not a table of commas (line {reader.line_num}: {error}): fix it") from None
    return rows


def parse_json(text: str) -> list[tuple[str, str | int]] | None:
    """(image name, label) of each entry of dataset.json; None when its labels are null."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError, MemoryError) as error:  # ValueError: no JSON, or a number of 4,301 digits
        raise UserError(f"dataset.json is not JSON ({first_line(error)}): fix it") from None
    if not isinstance(content, dict) or "labels" not in content:
        raise UserError('dataset.json must hold {"labels": [["00000/img.png", 6], ...]}: add "labels"')
    labels = content["labels"]
    if labels is None:
        return None
    if not isinstance(labels, list):
        raise UserError('"labels" in dataset.json must be a list of [file, label], or null: fix it')
    for entry in labels:
        if not _is_entry(entry):
            raise UserError(f"dataset.json: {json.dumps(entry):.80} is not [file, label], the label whole or text")
    return [(plain_name(name), label) for name, label in labels]


def plain_name(name: str) -> str:
    """A file's name as sources have it."""
    return name.replace("\\", "/").removeprefix("./")


def _group(row: Mapping[str, str | None], line: int) -> dict[str, str]:
    if GROUP not in row:
        return {}
    group = (row[GROUP] or "").strip()
    if not group:
        raise UserError(f"labels.csv line {line} lacks a group: complete it, or remove the column")
    return {GROUP: group}


def _is_entry(entry: object) -> bool:
    if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
        return False
    label = entry[1]
    if isinstance(label, str):
        return True
    # JSON's true and false are ints to Python
    return isinstance(label, int) and not isinstance(label, bool) and label >= 0
