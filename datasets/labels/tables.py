"""Tables of labels, labels.csv and Hugging Face's metadata: their columns of files and classes, and their rows."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from ...errors import UserError, first_line, nearest
from .files import GROUP, Entry, TableRow, cell_text, plain_name
from .proposals import proposed_columns

EXCELS_LINE = re.compile(r"sep=.\r?\n")  # by which it is told the delimiter
DELIMITERS = ",;\t"  # the latter two are Excel's, where a comma is the decimal point, and in its "Unicode text"
# what columns are called, the first as this program calls them
FILE_WORDS: tuple[str, ...] = (
    "file",
    "filename",
    "file_name",
    "filepath",
    "file_path",
    "path",
    "image",
    "image_id",
    "image_name",
)
FILE_WORDS += ("image_path", "imagename", "img", "name", "id")
LABEL_WORDS = ("label", "labels", "class", "class_name", "classname", "category", "dx", "diagnosis", "target")
BITS = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}


class NoColumns(UserError):
    """A table lacks columns that are known to hold files and classes, or those that were asked for."""


class OnlyAttributes(NoColumns):
    """A table lacks a column of classes, and has others. proposal: these, for `attributes`."""

    def __init__(self, message: str, proposal: str):
        super().__init__(message)
        self.proposal = proposal


def parse_table(
    file: str, text: str, file_column: str | None = None, label_column: str | None = None
) -> tuple[list[Entry], list[str]]:
    """The rows of `file`, labels.csv or metadata.jsonl, and notes on the columns that they were taken from.

    file_column, label_column: their names; None finds them by usual names, of which one alone must be there, or takes
    columns of 0 and 1 for classes where each row has one 1. UserError for a table that is damaged or has no such
    columns, or a row without file, class or group.
    """
    header, rows = _lines(file, text, lambda value: value if isinstance(value, str) else json.dumps(value))
    name_column = _find(file, header, "file_column", file_column, FILE_WORDS, label_column)
    class_column = _find(file, header, "label_column", label_column, LABEL_WORDS, file_column)
    notes = []
    labels: Sequence[str] | None = None
    if class_column is not None:
        labels = [row[class_column].strip() for _, row in rows]
        if name_column and (name_column, class_column) not in (("file", "label"), (file_column, label_column)):
            notes.append(f"{file}: column {name_column!r} names the file, and {class_column!r} the class")
    elif name_column is not None:
        columns, labels = _one_hot([column for column in header if column not in (name_column, GROUP)], rows)
        notes.append(f"{file}: each image's class is the column that holds a 1, of {', '.join(columns):.200}")
    if name_column is None or labels is None:
        line = (
            f"{file} must start with the line 'file,label', not {','.join(header)!r:.80}: add it, or name the columns "
            "that hold them by `file_column` and `label_column`"
        )
        others = proposed_columns([row for _, row in rows], {name_column}) if name_column else []
        if others:
            proposal = ",".join(others)
            raise OnlyAttributes(f"{line}, or give several by `attributes` {proposal:.300}", proposal)
        raise NoColumns(line)
    return [
        _entry(file, place, row, row[name_column], label) for (place, row), label in zip(rows, labels, strict=True)
    ], notes


def parse_columns(
    file: str, text: str, file_column: str | None, columns: Sequence[str]
) -> tuple[list[Entry], list[str]]:
    """The rows of `file`, as `parse_table`, whose labels are these columns, each of which may be empty."""
    header, rows = _lines(file, text, cell_text)
    name_column = _find(file, header, "file_column", file_column, FILE_WORDS, None)
    if name_column is None:
        raise NoColumns(f"{file} has no column 'file', but {','.join(header)!r:.80}: name it by `file_column`")
    missing = [column for column in columns if column not in header]
    if missing:
        raise NoColumns(f"`attributes` {missing[0]}: {file} has no such column, {nearest(missing[0], header)}")
    for column in columns:
        _once(file, header, column)
    notes = [] if name_column in ("file", file_column) else [f"{file}: column {name_column!r} names the file"]
    entries = []
    for place, row in rows:
        name, whole = _named(file, place, row, row[name_column])
        entries.append(Entry(place, name, ",".join(row[column].strip() for column in columns), whole))
    return entries, notes


def _entry(file: str, place: str, row: TableRow, name: str, label: str) -> Entry:
    if not label:
        raise UserError(f"{file} {place} lacks a file or a label: complete or remove it")
    name, whole = _named(file, place, row, name)
    return Entry(place, name, label, whole | {"label": label})


def _named(file: str, place: str, row: TableRow, name: str) -> tuple[str, TableRow]:
    """The file's name as sources have it, and the row with it."""
    name = plain_name(name.strip())
    if not name:
        raise UserError(f"{file} {place} lacks a file or a label: complete or remove it")
    whole = row | {"file": name}
    if GROUP in row:
        whole[GROUP] = row[GROUP].strip()
        if not whole[GROUP]:
            raise UserError(f"{file} {place} lacks a group: complete it, or remove the column")
    return name, whole


def _find(
    file: str, header: Sequence[str], option: str, wanted: str | None, words: Sequence[str], other: str | None
) -> str | None:
    """The column that is wanted, is called as this program does, or alone has one of these names; None without one."""
    if wanted is not None:
        if wanted not in header:
            raise NoColumns(f"`{option}` {wanted}: {file} has no such column, {nearest(wanted, header)}")
        return _once(file, header, wanted)
    if words[0] in header and words[0] != other:
        return _once(file, header, words[0])
    fitting = [name for name in header if name.lower().replace(" ", "_") in words and name != other]
    return fitting[0] if len(fitting) == 1 else None


def _once(file: str, header: Sequence[str], name: str) -> str:
    """The name of a column. UserError if several are called so, of which only the last would be read."""
    if header.count(name) > 1:
        raise UserError(f"{file} has {header.count(name)} columns {name!r}: give them names of their own")
    return name


def _one_hot(header: Sequence[str], rows: Sequence[tuple[str, TableRow]]) -> tuple[list[str], list[str] | None]:
    """The columns of 0 and 1 alone, and the one of them that holds each row's only 1; None where they are no such."""
    columns = [column for column in header if all(row[column].strip().lower() in BITS for _, row in rows)]
    ones = [[column for column in columns if BITS[row[column].strip().lower()]] for _, row in rows]
    if not ones or len(columns) < 2 or any(len(found) != 1 for found in ones):
        return columns, None
    return columns, [found[0] for found in ones]


def _lines(file: str, text: str, cell: Callable[[object], str]) -> tuple[list[str], list[tuple[str, TableRow]]]:
    """The names of the columns, and the rows with where each stands. cell: a value of JSON as text."""
    return _lines_of_json(file, text, cell) if file.endswith(".jsonl") else _lines_of_csv(file, text)


def _lines_of_csv(file: str, text: str) -> tuple[list[str], list[tuple[str, TableRow]]]:
    """The names of the columns, and the rows with the line where each ends."""
    named = EXCELS_LINE.match(text)
    first = 1 if named else 0
    text = text[named.end() :] if named else text
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        delimiter = _delimiter(text)
        reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True, delimiter=delimiter)
        header = [name.strip() for name in reader.fieldnames or []]
        reader.fieldnames = header
        rows = [(f"line {first + reader.line_num}", _whole(row, header)) for row in reader]
        return header, [(place, row) for place, row in rows if any(map(str.strip, row.values()))]
    except csv.Error as error:
        raise UserError(f"{file} is not a table of commas (line {first + reader.line_num}: {error}): fix it") from None


def _delimiter(text: str) -> str:
    """The delimiter that splits the first line into the most columns."""
    line = text.lstrip("\r\n").splitlines()[:1]
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader(line, delimiter=delimiter), ())))


def _lines_of_json(file: str, text: str, cell: Callable[[object], str]) -> tuple[list[str], list[tuple[str, TableRow]]]:
    rows = list(_objects(file, text, cell))
    header = list(dict.fromkeys(name for _, row in rows for name in row))
    return header, [(place, _whole(row, header)) for place, row in rows]


def _objects(file: str, text: str, cell: Callable[[object], str]) -> Iterator[tuple[str, TableRow]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError, MemoryError) as error:
            raise UserError(f"{file} line {number} is not JSON ({first_line(error)}): fix it") from None
        if not isinstance(content, dict):
            raise UserError(f'{file} line {number} is not like {{"file_name": "1.png", "label": "crack"}}: fix it')
        yield f"line {number}", {name: cell(value) for name, value in content.items()}


def _whole(row: Mapping[str, str | None], header: Sequence[str]) -> TableRow:
    """The row with text in every column of the header, and in no others."""
    return {name: row.get(name) or "" for name in header}
