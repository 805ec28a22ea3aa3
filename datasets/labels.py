"""Which class an image belongs to: by labels.csv, by dataset.json, or by its first-level folder."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import UserError
from .groups import plain_name
from .sources import Source


@dataclass(frozen=True)
class Labelling:
    """classes: in the order of their indices. index_of: image name -> index of its class, for every image."""

    classes: tuple[str, ...]
    index_of: Mapping[str, int]


def read_labels(source: Source) -> Labelling | None:
    """The classes of a source's images; None when it has no labels. UserError on a bad or incomplete label file."""
    if len(source.label_files) > 1:
        both = " and ".join(source.label_files)
        raise UserError(f"{source.place!r} has both {both}: remove one")
    if not source.label_files:
        return _labels_of_folders(source)
    file = source.label_files[0]
    try:
        text = source.read(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} in {source.place!r} is not UTF-8 ({error.reason}): save it as UTF-8") from None
    if file == "labels.csv":
        pairs = parse_csv(text)
        classes = class_order(label for _, label in pairs)
    else:
        entries = parse_json(text)
        if entries is None:
            return None
        pairs, classes = _name_classes(entries)
    _check_names(file, [name for name, _ in pairs], source.names)
    indices = {label: index for index, label in enumerate(classes)}
    return Labelling(classes, {name: indices[label] for name, label in pairs})


def require_two_each(names: Sequence[str], labelling: Labelling) -> None:
    """UserError if a class has but one of the images `names`, or has lost all of its images."""
    counts = Counter(labelling.index_of[name] for name in names)
    labelled = Counter(labelling.index_of.values())
    for index, label in enumerate(labelling.classes):
        if counts[index] == 1:
            file = next(name for name in names if labelling.index_of[name] == index)
            raise UserError(
                f"class {label!r} has only one readable image ({file!r}): "
                "add images of it, remove it, or train without labels (`no_labels`)"
            )
        if labelled[index] and not counts[index]:
            raise UserError(f"class {label!r} has no readable image: add images of it, or remove it")


def class_order(labels: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels, sorted; by value if all of them are whole numbers, so that 10 comes after 2."""
    distinct = sorted(set(labels))
    if all(label.isdecimal() for label in distinct):
        distinct.sort(key=int)
    return tuple(distinct)


def parse_csv(text: str) -> list[tuple[str, str]]:
    """(image name, label) of each line below the header `file,label`; further columns are for others."""
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    try:
        columns = reader.fieldnames or []
        if "file" not in columns or "label" not in columns:
            found = ",".join(columns)
            raise UserError(
                f"labels.csv must start with the line 'file,label', not {found!r}: "
                "add it, or name the columns so, separated by commas"
            )
        pairs = []
        for row in reader:
            name, label = (row["file"] or "").strip(), (row["label"] or "").strip()
            if not name or not label:
                raise UserError(f"labels.csv line {reader.line_num} lacks a file or a label: complete or remove it")
            pairs.append((plain_name(name), label))
    except csv.Error as error:
        raise UserError(f"labels.csv is not a table of commas (line {reader.line_num}: {error}): fix it") from None
    return pairs


def parse_json(text: str) -> list[tuple[str, str | int]] | None:
    """(image name, label) of each entry of dataset.json; None when its labels are null."""
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UserError(f"dataset.json is not JSON ({error}): fix it") from None
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


def _is_entry(entry: object) -> bool:
    if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
        return False
    label = entry[1]
    if isinstance(label, str):
        return True
    # JSON's true and false are ints to Python
    return isinstance(label, int) and not isinstance(label, bool) and label >= 0


def _name_classes(entries: list[tuple[str, str | int]]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Entries of dataset.json with labels as text, and the classes. Whole numbers are class indices from 0."""
    numbers = [label for _, label in entries if isinstance(label, int)]
    pairs = [(name, str(label)) for name, label in entries]
    if not numbers:
        return pairs, class_order(label for _, label in pairs)
    if len(numbers) < len(entries):
        raise UserError("dataset.json has labels both as numbers and as text: use one of them")
    if max(numbers) >= len(entries):
        raise UserError(f"dataset.json has class {max(numbers)} with {len(entries)} images: count classes from 0")
    return pairs, tuple(str(index) for index in range(max(numbers) + 1))


def _labels_of_folders(source: Source) -> Labelling | None:
    names = source.names
    roots = [name for name in names if "/" not in name]
    if len(roots) == len(names):
        return None
    if roots:
        raise UserError(
            f"{source.place!r} has class folders and {len(roots)} images beside them (such as {roots[0]!r}): "
            "move those into a class folder, or ignore the classes (`no_labels`)"
        )
    folders = {name: name.split("/")[0] for name in names}
    classes = class_order(folders.values())
    indices = {label: index for index, label in enumerate(classes)}
    return Labelling(classes, {name: indices[folder] for name, folder in folders.items()})


def _check_names(file: str, labelled: list[str], names: list[str]) -> None:
    """UserError unless `labelled` holds each of `names` once, and nothing else."""
    twice = [name for name, count in Counter(labelled).items() if count > 1]
    present = set(names)
    missing = [name for name in labelled if name not in present]
    left_out = sorted(present - set(labelled))
    if twice:
        raise UserError(f"{file} lists {len(twice)} files more than once (first: {twice[0]!r}): keep one line each")
    if missing:
        raise UserError(f"{file} names {len(missing)} images that are not there (first: {missing[0]!r}): fix it")
    if left_out:
        raise UserError(f"{file} has no label for {len(left_out)} images (first: {left_out[0]!r}): add them")
