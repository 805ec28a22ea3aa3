"""Which class an image belongs to: by labels.csv, by dataset.json, or by its first-level folder."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import UserError
from .label_files import CSV, GROUP, SPLIT, parse_csv, parse_json, read_text
from .sources import Source, is_text
from .splits import Splits, splits_of_folders

LONGEST = 255  # characters of a class's name, as of a folder's


@dataclass(frozen=True)
class Labelling:
    """classes: in the order of their indices. index_of: image name -> index of its class, for every image.

    rows: those of labels.csv, with all its columns; None where there is no such file.
    """

    classes: tuple[str, ...]
    index_of: Mapping[str, int]
    rows: Sequence[Mapping[str, str]] | None = field(default=None, compare=False)
    file_of: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def groups(self) -> dict[str, str] | None:
        """Image name -> what it belongs to, such as a patient; None without a column `group` in labels.csv."""
        if not self.rows or GROUP not in self.rows[0]:
            return None
        groups = {row["file"]: row[GROUP] for row in self.rows}
        return groups | {name: groups[file] for name, file in self.file_of.items()}

    @property
    def splits(self) -> dict[str, str] | None:
        """Image name -> the name of its split; None without a column `split` in labels.csv."""
        if not self.rows or SPLIT not in self.rows[0]:
            return None
        return {row["file"]: (row[SPLIT] or "").strip() for row in self.rows}

    def only(self, names: Collection[str]) -> "Labelling":
        """Of these images alone. A class that loses all of its images is lost, too."""
        wanted = set(names)
        left = {name: index for name, index in self.index_of.items() if name in wanted}
        lost = set(self.index_of.values()) - set(left.values())
        kept = [index for index in range(len(self.classes)) if index not in lost]
        new = {old: index for index, old in enumerate(kept)}
        classes = tuple(self.classes[index] for index in kept)
        rows = None if self.rows is None else [row for row in self.rows if row["file"] in left]
        return replace(self, classes=classes, index_of={name: new[old] for name, old in left.items()}, rows=rows)

    def of_pictures(self, file_of: Mapping[str, str]) -> "Labelling":
        """Of pictures, too, each as its file is labelled. file_of: picture -> file."""
        index_of = {**self.index_of, **{name: self.index_of[file] for name, file in file_of.items()}}
        return replace(self, index_of=index_of, file_of=file_of)


def read_labels(source: Source, splits: Splits | None = None, masks: Collection[str] = ()) -> Labelling | None:
    """The classes of a source's images; None when it has no labels. UserError on a bad or incomplete label file.

    splits: by folders, below which the classes' folders lie. masks: images that may be without a label.
    """
    if len(source.label_files) > 1:
        both = " and ".join(source.label_files)
        raise UserError(f"{source.place!r} has both {both}: remove one")
    if not source.label_files:
        return _labels_of_folders(source.place, splits or splits_of_folders(source.names, None))
    file = source.label_files[0]
    text = read_text(source, file)
    rows = None
    if file == CSV:
        rows = parse_csv(text)
        pairs = [(row["file"], row["label"]) for row in rows]
        classes = class_order(label for _, label in pairs)
    else:
        entries = parse_json(text)
        if entries is None:
            return None
        pairs, classes = _name_classes(entries)
    _check_names(file, [name for name, _ in pairs], source.names, masks)
    indices = {label: index for index, label in enumerate(classes)}
    return Labelling(classes, {name: indices[label] for name, label in pairs}, rows)


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
    """The distinct labels, sorted; by value if all of them are whole numbers, so that 10 comes after 2.

    UserError for a name that is too long to be shown, or no text.
    """
    distinct = sorted(set(labels))
    for label in distinct:
        if len(label) > LONGEST or not is_text(label):
            raise UserError(f"{label!r:.80} is no name of a class: give text of at most {LONGEST} characters in UTF-8")
    if all(label.isdecimal() for label in distinct):
        distinct.sort(key=int)
    return tuple(distinct)


def _name_classes(entries: list[tuple[str, str | int]]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Entries of dataset.json with labels as text, and the classes. Whole numbers are class indices from 0."""
    numbers = [label for _, label in entries if isinstance(label, int)]
    pairs = [(name, str(label)) for name, label in entries]
    if not numbers:
        return pairs, class_order(label for _, label in pairs)
    if len(numbers) < len(entries):
        raise UserError("dataset.json has labels both as numbers and as text: use one of them")
    if max(numbers) >= len(entries):
        raise UserError(f"dataset.json has class {max(numbers)!s:.20} with {len(entries)} images: count classes from 0")
    return pairs, tuple(str(index) for index in range(max(numbers) + 1))


def _labels_of_folders(place: str, splits: Splits) -> Labelling | None:
    """Of splits one may lack the folders of classes: its images are without a label then."""
    roots = [name for name, path in splits.below.items() if "/" not in path]
    if len(roots) == len(splits.below):
        return None
    if roots and not splits.of:
        raise UserError(
            f"{place!r} has class folders and {len(roots)} images beside them (such as {roots[0]!r}): "
            "move those into a class folder, or ignore the classes (`no_labels`)"
        )
    folders = {name: path.split("/")[0] for name, path in splits.below.items() if "/" in path}
    classes = class_order(folders.values())
    indices = {label: index for index, label in enumerate(classes)}
    return Labelling(classes, {name: indices[folder] for name, folder in folders.items()})


def _check_names(file: str, labelled: list[str], names: list[str], masks: Collection[str]) -> None:
    """UserError unless `labelled` holds each of `names` once, if it is no mask, and nothing else."""
    twice = [name for name, count in Counter(labelled).items() if count > 1]
    present = set(names)
    missing = [name for name in labelled if name not in present]
    left_out = sorted(present.difference(labelled, masks))
    if twice:
        raise UserError(
            f"{file} lists {len(twice)} files more than once (first: {twice[0]!r:.300}): keep one line each"
        )
    if missing:
        raise UserError(f"{file} names {len(missing)} images that are not there (first: {missing[0]!r:.300}): fix it")
    if left_out:
        raise UserError(f"{file} has no label for {len(left_out)} images (first: {left_out[0]!r:.300}): add them")
