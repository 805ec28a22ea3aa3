"""The contents of a label file, before they are compared with the images: its text, and the entries of dataset.json."""

import codecs
import json
from typing import NamedTuple

from ...errors import UserError, first_line
from ..reading.sources import Source
from ..reading.unreadable import DAMAGE, refusal

CSV = "labels.csv"
JSON = "dataset.json"
GROUP = "group"
SPLIT = "split"

TableRow = dict[str, str]


class Entry(NamedTuple):
    """place: where it stands in its file, in words. name: an image's, as it stands there. row: all columns of a table,
    with `file`, `label` and perhaps `group` among them; empty of dataset.json."""

    place: str
    name: str
    label: str
    row: TableRow


def read_text(source: Source, file: str) -> str:
    """A label file's text. UserError, in one line, whatever is wrong with it."""
    try:
        content = source.read(file)
        utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # Excel's "Unicode text"
        return content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{file} in {source.place!r} is not UTF-8 ({error.reason}): save it as UTF-8 (in Excel 'CSV UTF-8'; of a "
            "file from Windows `iconv -f cp1252 -t utf-8` does it)"
        ) from None
    except DAMAGE as error:
        line = f"cannot read {file} in {source.place!r} ({first_line(error)}): make it anew"
        raise refusal(error, f"{source.place}/{file}", line) from None


def parse_json(text: str) -> list[tuple[str, str | int | dict[str, object]]] | None:
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


def cell_text(value: object) -> str:
    """A value of JSON as a table has it."""
    if isinstance(value, list):
        return ";".join(map(cell_text, value))
    if value is None or isinstance(value, bool):
        return {None: "", False: "no", True: "yes"}[value]
    return value if isinstance(value, str) else json.dumps(value)


def plain_name(name: str) -> str:
    """A file's name as sources have it."""
    return name.replace("\\", "/").removeprefix("./")


def _is_entry(entry: object) -> bool:
    if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
        return False
    label = entry[1]
    if isinstance(label, str) or (isinstance(label, dict) and label):
        return True
    # JSON's true and false are ints to Python
    return isinstance(label, int) and not isinstance(label, bool) and label >= 0
