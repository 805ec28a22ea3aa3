"""The attributes of each image: from a table's columns, dataset.json, folders, or the names of classes."""

from collections.abc import Collection, Mapping, Sequence

from ...config.attributes import AskedAttribute
from ...config.preparation import Preparation
from ...errors import UserError, nearest
from ...labels.attribute import Row
from ..reading.sources import Source
from .cells import Cell, parse_cells
from .files import JSON, Entry, parse_json, read_text
from .labelling import Labelling, label_file, labelling_of_rows, read_labels
from .matching import match
from .objects import entries_of_objects
from .splits import Splits, splits_of_folders
from .tables import NoColumns, parse_columns


def read_attributes(
    source: Source, preparation: Preparation, splits: Splits | None = None, masks: Collection[str] = ()
) -> Labelling:
    """The values of `preparation.attributes` of a source's images. UserError where they are not there, or are wrong.

    splits: by folders, below which the attributes' folders lie. masks: images that may be without values.
    """
    splits = splits or splits_of_folders(source.names, None)
    if preparation.split_names is not None:
        return _of_class_names(source, preparation, splits, masks)
    file = label_file(source)
    if file is None:
        return _of_folders(source, preparation, splits)
    text = read_text(source, file)
    names = [asked.name for asked in preparation.attributes]
    if file == JSON:
        entries, notes = _entries_of_objects(text, names), list[str]()
    else:
        entries, notes = parse_columns(file, text, preparation.file_column, names)
    entry_of, matched = match(file, entries, source.names, masks)
    cells = {
        name: [Cell(entry.row[asked], f"{file} {entry.place}") for asked in names] for name, entry in entry_of.items()
    }
    rows = [{**entry.row, "file": name} for name, entry in entry_of.items()]
    about = Labelling((), {}, rows, from_file=True, notes=(*notes, *matched))
    return _labelled(preparation.attributes, cells, about)


def _labelled(attributes: Sequence[AskedAttribute], cells: Mapping[str, Sequence[Cell]], about: Labelling) -> Labelling:
    """cells: of each image, one for each attribute."""
    kinds, columns, notes = [], [], list(about.notes)
    for index, asked in enumerate(attributes):
        kind, values, same = parse_cells(asked, [own[index] for own in cells.values()])
        kinds.append((asked.name, kind))
        columns.append(values)
        notes += same
    row_of: dict[str, Row] = dict(zip(cells, zip(*columns, strict=True), strict=True))
    about = Labelling((), {}, about.rows, about.from_file, tuple(notes))
    return labelling_of_rows(kinds, row_of, about)


def _entries_of_objects(text: str, names: Sequence[str]) -> list[Entry]:
    """The entries of dataset.json whose labels are objects."""
    labels = parse_json(text)
    plain = next((label for _, label in labels or () if not isinstance(label, dict)), None)
    if not labels or plain is not None:
        found = "labels are null" if not labels else f"label {plain!r:.80} is no object"
        raise NoColumns(f'`attributes`: {JSON}: {found}, write ["1.png", {{"{names[0]}": ...}}], or give `split_names`')
    entries = entries_of_objects(labels)
    keys = entries[0].row
    missing = [name for name in names if name not in keys]
    if missing:
        raise NoColumns(f"`attributes` {missing[0]}: {JSON} has no such key, {nearest(missing[0], keys)}")
    return [entry._replace(label=",".join(entry.row[name] for name in names)) for entry in entries]


def _of_class_names(source: Source, preparation: Preparation, splits: Splits, masks: Collection[str]) -> Labelling:
    separator, attributes = preparation.split_names, preparation.attributes
    assert separator is not None
    whole = read_labels(source, preparation, splits, masks)
    if whole is None:
        raise UserError(f"`split_names` {separator}: the images of {source.place!r} have no classes, leave it out")
    parts = {name: name.split(separator) for name in whole.classes}
    for name, own in parts.items():
        if len(own) != len(attributes):
            raise UserError(
                f"`split_names` {separator}: class {name!r:.200} has {len(own)} parts, and `attributes` names "
                f"{len(attributes)}: rename it, or name as many"
            )
    cells = {
        image: [Cell(part, f"class {whole.classes[index]!r:.200}") for part in parts[whole.classes[index]]]
        for image, index in whole.index_of.items()
    }
    return _labelled(attributes, cells, whole)


def _of_folders(source: Source, preparation: Preparation, splits: Splits) -> Labelling:
    attributes = preparation.attributes
    if preparation.file_column is not None:
        raise NoColumns(
            f"`file_column` {preparation.file_column}: there is no table labels.csv in {source.place!r}, whose column "
            "that would be"
        )
    levels = {name: path.split("/")[:-1] for name, path in splits.below.items()}
    short = [name for name, folders in levels.items() if len(folders) < len(attributes)]
    if short:
        raise UserError(
            f"`attributes`: without labels.csv these are levels of folders, and {len(short)} of {len(levels)} images "
            f"lie in fewer than {len(attributes)} (first: {short[0]!r:.300}): move them, or write labels.csv"
        )
    cells = {
        name: [Cell(folder, f"folder of {name!r:.300}") for folder in folders[: len(attributes)]]
        for name, folders in levels.items()
    }
    return _labelled(attributes, cells, Labelling((), {}))
