"""The labels of image files that are to be projected: from a table's row, or from the names of folders."""

import os
from collections.abc import Sequence
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
    """Finds labels that a generator knows. Each table is read once. preparation: that of the run. of_rows: how many
    files had their label from a row."""

    def __init__(self, space: LabelSpace, preparation: Preparation):
        self._space, self._preparation = space, preparation
        self._tables: dict[Path, dict[str, str]] = {}
        self.of_rows = 0

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
            raise UserError(f"{error}; or give `label`") from None
        return {os.path.abspath(f"{source.place}/{name}"): label for name, label in labels.items()}

    def _classes(self, source: FolderSource) -> dict[str, str]:
        labelling = read_labels(source, self._preparation)
        names = [] if labelling is None else source.names
        found = {name: labelling.class_of(name) for name in names if labelling is not None}
        if self._space.is_flat:
            return {name: label for name, label in found.items() if label in self._space.classes}
        return {name: self._of_folders([label]) for name, label in found.items()}

    def _attributes(self, source: FolderSource) -> dict[str, str]:
        """By columns or keys with the names of all attributes; {} where there are none."""
        attributes, (file, *_) = self._space.attributes, source.label_files
        names, text = [one.name for one in attributes], read_text(source, file)
        entries: list[Entry]
        if file == JSON:
            entries = entries_of_objects(parse_json(text) or [])
            if not entries or not set(names) <= entries[0].row.keys():
                return {}
        else:
            try:
                entries, _ = parse_columns(file, text, self._preparation.file_column, names)
            except NoColumns:
                return {}
        entry_of, _ = match(file, entries, source.names)
        columns = [
            parse_cells(
                AskedAttribute(one.name, one.kind),
                [Cell(entry.row[one.name], f"{file} {entry.place}") for entry in entry_of.values()],
            )[1]
            for one in attributes
        ]
        rows = zip(*columns, strict=True)
        return {
            name: _text(self._space, dict(zip(names, row, strict=True)))
            for name, row in zip(entry_of, rows, strict=True)
        }


def _text(space: LabelSpace, named: dict[str, Value]) -> str:
    """The text of those values that the generator knows; the others are drawn."""
    known = [one for one in space.attributes if one.name in named and _knows(one, named[one.name])]
    return label_text(known, [named[one.name] for one in known])


def _knows(attribute: Attribute, value: Value) -> bool:
    if value is None:
        return attribute.unknown
    return isinstance(value, float) or set(value if isinstance(value, tuple) else (value,)) <= {*attribute.values}
