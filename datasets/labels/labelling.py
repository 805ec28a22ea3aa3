"""The class of each image: from a table, from dataset.json, or from its first-level folder."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from ...config.preparation import Preparation
from ...errors import UserError
from ...labels.attribute import Attribute, Row
from ..reading.sources import Source
from .class_names import alike_warnings, class_order, merge_alike
from .files import CSV, GROUP, JSON, SPLIT, Entry, parse_json, read_text
from .matching import match
from .objects import entries_of_objects
from .schema import Kind, schema_of, schema_warnings
from .splits import Splits, splits_of_folders
from .tables import NoColumns, parse_table

MOST_NAMED = 5  # in a note


@dataclass(frozen=True)
class Labelling:
    """classes: those that images have, in the order of their indices. index_of: image name -> index of its class, for
    every image.

    rows: those of a table, with all its columns, `file` as the source names it; None where there is no table.
    from_file: whether a label file is what was read. notes: lines on what was understood otherwise than it is written.
    attributes, row_of: what images are labelled by, and each image's values, where that is not one class; classes are
    then the combinations of values.
    """

    classes: tuple[str, ...]
    index_of: Mapping[str, int]
    rows: Sequence[Mapping[str, str]] | None = field(default=None, compare=False)
    from_file: bool = field(default=False, compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    attributes: tuple[Attribute, ...] = ()
    row_of: Mapping[str, Row] = field(default_factory=dict)

    @property
    def groups(self) -> dict[str, str] | None:
        """File -> what it belongs to, such as a patient; None without a column `group` in the table."""
        if not self.rows or GROUP not in self.rows[0]:
            return None
        return {row["file"]: row[GROUP] for row in self.rows}

    def class_of(self, name: str) -> str:
        """The name of an image's class."""
        return self.classes[self.index_of[name]]

    @property
    def splits(self) -> dict[str, str] | None:
        """Image name -> the name of its split; None without a column `split` in labels.csv."""
        if not self.rows or SPLIT not in self.rows[0]:
            return None
        return {row["file"]: (row[SPLIT] or "").strip() for row in self.rows}

    def only(self, names: Collection[str]) -> "Labelling":
        """The labelling of these images alone. A class that loses all of its images is lost, too, and so is a
        value. UserError for an attribute that is left with one value."""
        wanted = set(names)
        if self.attributes:
            rows = None if self.rows is None else [row for row in self.rows if row["file"] in wanted]
            row_of = {name: row for name, row in self.row_of.items() if name in wanted}
            return labelling_of_rows(
                [(one.name, one.kind) for one in self.attributes], row_of, replace(self, rows=rows)
            )
        left = {name: index for name, index in self.index_of.items() if name in wanted}
        lost = set(self.index_of.values()) - set(left.values())
        kept = [index for index in range(len(self.classes)) if index not in lost]
        new = {old: index for index, old in enumerate(kept)}
        classes = tuple(self.classes[index] for index in kept)
        rows = None if self.rows is None else [row for row in self.rows if row["file"] in left]
        return replace(self, classes=classes, index_of={name: new[old] for name, old in left.items()}, rows=rows)

    def of_pictures(self, file_of: Mapping[str, str]) -> "Labelling":
        """The labelling with pictures added, each labelled as its file is. file_of: picture -> file."""
        index_of = {**self.index_of, **{name: self.index_of[file] for name, file in file_of.items()}}
        row_of = {**self.row_of, **{name: self.row_of[file] for name, file in file_of.items()}} if self.row_of else {}
        return replace(self, index_of=index_of, row_of=row_of)


def labelling_of_rows(kinds: Sequence[Kind], row_of: Mapping[str, Row], about: Labelling) -> Labelling:
    """The labelling by the attributes `kinds` with the values `row_of`; all else as in `about`."""
    schema = schema_of(kinds, list(row_of.values()))
    return replace(
        about,
        classes=schema.classes,
        index_of=dict(zip(row_of, schema.indices, strict=True)),
        attributes=schema.attributes,
        row_of=dict(zip(row_of, schema.rows, strict=True)),
    )


def read_labels(
    source: Source, preparation: Preparation, splits: Splits | None = None, masks: Collection[str] = ()
) -> Labelling | None:
    """The classes of a source's images, attributes aside; None when it has no labels. UserError on a bad or incomplete
    label file.

    splits: by folders, below which the classes' folders lie. masks: images that may be without a label.
    """
    file = label_file(source)
    file_column, label_column = preparation.file_column, preparation.label_column
    columns = {"file_column": file_column, "label_column": label_column}
    given = [f"`{name}` {column}" for name, column in columns.items() if column is not None]
    if given and file in (None, JSON):
        raise NoColumns(f"{given[0]}: there is no table labels.csv in {source.place!r}, whose column that would be")
    splits = splits or splits_of_folders(source.names, None)
    if file is None:
        return _labels_of_folders(source.place, splits)
    text = read_text(source, file)
    if file == JSON:
        numbered = parse_json(text)
        if numbered is None:
            return None
        entries, notes = _entries_of_json(numbered)
        return _labelling(source, file, entries, notes, masks)
    try:
        entries, notes = parse_table(file, text, file_column, label_column)
    except NoColumns:
        if file == CSV or given:
            raise
        return _labels_of_folders(source.place, splits)  # metadata.csv may hold anything
    class_of, merged = merge_alike(entry.label for entry in entries)
    entries = [
        entry._replace(label=class_of[entry.label], row={**entry.row, "label": class_of[entry.label]})
        for entry in entries
    ]
    return _labelling(source, file, entries, notes + merged, masks)


def label_notes(source: Source, labelling: Labelling | None) -> list[str]:
    """Lines on how the labels of a source were understood, and on tables there that were not read."""
    if labelling is not None and labelling.from_file:
        return list(labelling.notes)
    notes = [] if labelling is None else list(labelling.notes)
    if JSON not in source.label_files:  # whose labels are null
        unread = [*source.label_files, *source.tables]
        notes += [_on_unread(table) for table in unread[:MOST_NAMED]]
    return notes


def label_warnings(labelling: Labelling | None) -> list[str]:
    """Lines on classes, or on values of attributes, that are easily confused, and on values with one image."""
    if labelling is None:
        return []
    if labelling.attributes:
        return schema_warnings(labelling.attributes, list(labelling.row_of.values()))
    return alike_warnings(labelling.classes)


def require_two_each(names: Sequence[str], labelling: Labelling) -> None:
    """Raises UserError if a class has but one of the images `names`, or has lost all of its images. Combinations of
    attributes may."""
    if labelling.attributes:
        return
    counts = Counter(labelling.index_of[name] for name in names)
    for index, label in enumerate(labelling.classes):
        if counts[index] == 1:
            file = next(name for name in names if labelling.index_of[name] == index)
            raise UserError(
                f"class {label!r} has only one readable image ({file!r}): "
                "add images of it, remove it, or train without labels (`no_labels`)"
            )
        if not counts[index]:
            raise UserError(f"class {label!r} has no readable image: add images of it, or remove it")


def label_file(source: Source) -> str | None:
    """labels.csv or dataset.json before Hugging Face's metadata, which may be beside them for other ends."""
    own = [file for file in source.label_files if file in (CSV, JSON)]
    if len(own) > 1:
        raise UserError(f"{source.place!r} has both {' and '.join(own)}: remove one")
    return next(iter([*own, *source.label_files]), None)


def _labelling(
    source: Source, file: str, entries: Sequence[Entry], notes: Sequence[str], masks: Collection[str]
) -> Labelling:
    classes = class_order(entry.label for entry in entries)
    entry_of, matched = match(file, entries, source.names, masks)
    indices = {label: index for index, label in enumerate(classes)}
    return Labelling(
        classes,
        {name: indices[entry.label] for name, entry in entry_of.items()},
        None
        if not any(entry.row for entry in entries)
        else [{**entry.row, "file": name} for name, entry in entry_of.items()],
        from_file=True,
        notes=(*notes, *matched),
    )


def _entries_of_json(labels: Sequence[tuple[str, str | int | dict[str, object]]]) -> tuple[list[Entry], list[str]]:
    """Entries of dataset.json, their labels as text, and notes on class indices, counted from 0, that none has."""
    numbers = {label for _, label in labels if isinstance(label, int)}
    objects = [label for _, label in labels if isinstance(label, dict)]
    if objects and len(objects) < len(labels):
        raise UserError("dataset.json has labels both as objects and otherwise: use one of them")
    if objects:
        return entries_of_objects(labels), []
    entries = [Entry(f"entry {place}", name, str(label), {}) for place, (name, label) in enumerate(labels, start=1)]
    if not numbers:
        return entries, []
    if not all(isinstance(label, int) for _, label in labels):
        raise UserError("dataset.json has labels both as numbers and as text: use one of them")
    absent = max(numbers) + 1 - len(numbers)
    return entries, list(_on_absent(numbers, absent)) if absent else []


def _on_absent(numbers: set[int], count: int) -> Iterator[str]:
    first = islice((index for index in range(max(numbers)) if index not in numbers), MOST_NAMED)
    named = ", ".join(map(str, first)) + (f" and {count - MOST_NAMED} more" if count > MOST_NAMED else "")
    yield f"dataset.json has no image of {'class' if count == 1 else 'classes'} {named:.300}: left out"


def _on_unread(table: str) -> str:
    if table.lower().endswith((".csv", ".tsv", ".jsonl")):
        return f"{table!r:.300} is not read: labels.csv is, rename it if the classes stand there"
    return f"{table!r:.300} is not read: save it as labels.csv (in Excel 'CSV UTF-8') if the classes stand there"


def _labels_of_folders(place: str, splits: Splits) -> Labelling | None:
    """The classes by first-level folder. In a set with splits, images outside of class folders have no label."""
    roots = [name for name, path in splits.below.items() if "/" not in path]
    if len(roots) == len(splits.below):
        return None
    if roots and not splits.of:
        raise UserError(
            f"{place!r} has class folders and {len(roots)} images beside them (such as {roots[0]!r}): "
            "move those into a class folder, or ignore the classes (`no_labels`)"
        )
    folders = {name: path.split("/")[0] for name, path in splits.below.items() if "/" in path}
    class_of, notes = merge_alike(folders.values())
    classes = class_order(class_of.values())
    indices = {label: index for index, label in enumerate(classes)}
    return Labelling(classes, {name: indices[class_of[folder]] for name, folder in folders.items()}, notes=tuple(notes))
