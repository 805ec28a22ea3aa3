"""The labels of image files that are to be projected: from a table's row, or from the names of folders."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from ..config.attributes import AskedAttribute
from ..config.preparation import Preparation
from ..datasets.labels.cells import Cell, parse_cells
from ..datasets.labels.files import CSV, JSON, Entry, parse_json, read_text
from ..datasets.labels.labelling import read_labels
from ..datasets.labels.matching import match
from ..datasets.labels.objects import entries_of_objects
from ..datasets.labels.tables import NoColumns, parse_columns
from ..datasets.reading.sources import FolderSource
from ..errors import UserError
from ..labels.attribute import Attribute, Value
from ..labels.label_space import LabelSpace
from ..labels.texts import label_text


class FileLabels:
    """Finds labels that a generator knows. Each table is read once. preparation: that of the run. given: the folders
    that the user names, of which a wrong table is an error; one further up may be about something else. of_rows: how
    many files had their label from a row. remarks: lines on numbers that are clipped."""

    def __init__(self, space: LabelSpace, preparation: Preparation, given: Collection[Path] = ()):
        self._space, self._preparation = space, preparation
        self._given = {one.absolute() for one in given}
        self._tables: dict[Path, dict[str, str]] = {}
        self.of_rows = 0
        self.remarks: list[str] = []

    def of(self, file: Path, folders: Sequence[str]) -> str:
        """A label's text, "" where nothing is known: of the file's row in labels.csv or dataset.json in the nearest
        folder above it that has one; otherwise of `folders`, the innermost last, that are named like a class, or like
        values of attributes. UserError for a table that is wrong."""
        if not self._space.classes:
            return ""
        above = next(
            (one for one in file.absolute().parents if any((one / name).is_file() for name in (CSV, JSON))), None
        )
        if above is not None:
            if above not in self._tables:
                self._tables[above] = self._read(above)
            label = self._tables[above].get(os.path.abspath(file), "")
            if label:
                self.of_rows += 1
                self.remarks += self._space.remarks(label)
                return label
        return self._of_folders(folders)

    def _of_folders(self, folders: Sequence[str]) -> str:
        space = self._space
        if space.is_flat:
            return next((name for name in reversed(folders) if name in space.classes), "")
        found: dict[str, Value] = {}
        for name in reversed(folders):
            try:
                found = space.named(name) | found
            except UserError:
                continue  # a folder of another name
        return _text(space, found)

    def _read(self, folder: Path) -> dict[str, str]:
        """The label of each image below a folder, by its absolute path."""
        try:
            source = FolderSource(folder)
            labels = {} if self._space.is_flat else self._attributes(source)
            labels = labels or self._classes(source)
        except UserError as error:
            if folder not in self._given:
                return {}
            raise UserError(f"{error}; or give `label`") from None
        return {os.path.abspath(f"{source.place}/{name}"): label for name, label in labels.items()}

    def _classes(self, source: FolderSource) -> dict[str, str]:
        labelling = read_labels(source, self._preparation, masks=source.names)
        found = {} if labelling is None else {name: labelling.class_of(name) for name in labelling.index_of}
        if self._space.is_flat:
            return {name: label for name, label in found.items() if label in self._space.classes}
        return {name: self._of_folders([label]) for name, label in found.items()}

    def _attributes(self, source: FolderSource) -> dict[str, str]:
        """By columns or keys with the names of attributes, of all or some; {} where there are none."""
        file, text = source.label_files[0], read_text(source, source.label_files[0])
        named: dict[str, dict[str, Value]] = {}
        for one in self._space.attributes:
            entry_of, _ = match(file, self._entries(file, text, one.name), source.names, source.names)
            cells = [Cell(entry.row[one.name], f"{file} {entry.place}") for entry in entry_of.values()]
            values = parse_cells(AskedAttribute(one.name, one.kind), cells)[1]
            for name, value in zip(entry_of, values, strict=True):
                named.setdefault(name, {})[one.name] = value
        return {name: _text(self._space, values) for name, values in named.items()}

    def _entries(self, file: str, text: str, attribute: str) -> list[Entry]:
        """The entries of a file that has this column or key; [] otherwise."""
        if file == JSON:
            entries = entries_of_objects(parse_json(text) or [])
            return entries if entries and attribute in entries[0].row else []
        try:
            return parse_columns(file, text, self._preparation.file_column, [attribute])[0]
        except NoColumns:
            return []


def _text(space: LabelSpace, named: dict[str, Value]) -> str:
    """The text of those values that the generator knows; the others are drawn."""
    known = [one for one in space.attributes if one.name in named and _knows(one, named[one.name])]
    return label_text(known, [_in_order(one, named[one.name]) for one in known])


def _in_order(attribute: Attribute, value: Value) -> Value:
    """Several values as the generator's labels have them."""
    return tuple(one for one in attribute.values if one in value) if isinstance(value, tuple) else value


def _knows(attribute: Attribute, value: Value) -> bool:
    if value is None:
        return attribute.unknown
    return isinstance(value, float) or set(value if isinstance(value, tuple) else (value,)) <= {*attribute.values}
