"""The choice of a source's images, their classes, and the warnings about the images left out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from ...config.attributes import parse_attributes
from ...config.masks import BESIDE
from ...config.preparation import Preparation
from ..reading.formats import OtherFiles, is_companion, lines_on_other_files
from ..reading.sources import Source, require_images
from .attribute_labels import read_attributes
from .files import CSV
from .groups import find_groups
from .labelling import Labelling, label_notes, read_labels
from .masks import find_masks, is_mask_folder
from .splits import Splits, chosen_names, splits_of_folders
from .tables import OnlyAttributes


class ChosenSource:
    """A source of which only some images are taken."""

    def __init__(self, whole: Source, names: list[str]):
        self.place, self.label_files, self.rest = whole.place, whole.label_files, whole.rest
        self.names, self.tables = names, whole.tables
        self._whole = whole

    def identity(self) -> str:
        return self._whole.identity()

    def open(self, name: str) -> BinaryIO:
        return self._whole.open(name)

    def read(self, name: str) -> bytes:
        return self._whole.read(name)


@dataclass(frozen=True)
class ChosenImages:
    """source: of the images that are taken. labelling: theirs. groups: of their files, None without any.

    masks: files that say what a pixel of an image shows, each with its image; `masks.pairing`.
    notes: lines on how labels, splits and groups were understood; warnings: on what was left out, and why; companions:
    a line on all files that are no images, also those that lie beside images as a rule."""

    source: Source
    labelling: Labelling | None
    groups: Mapping[str, str] | None
    masks: Mapping[str, str | None]
    notes: Sequence[str]
    warnings: Sequence[str]
    companions: str | None


def choose_images(source: Source, preparation: Preparation) -> ChosenImages:
    """Chooses all images that are no masks, or those of them in the chosen splits (`Preparation`). UserError if no
    image is left, if the labels are wrong, or if a chosen split does not exist."""
    use_labels, split = preparation.use_labels, preparation.split
    names = require_images(source)
    beside = find_masks(names)
    masks = set(beside)
    splits = splits_of_folders([name for name in names if name not in masks], split)
    by_file = bool(source.label_files)
    labelling = None
    if use_labels or (split is not None and CSV in source.label_files):
        read = read_attributes if preparation.attributes else read_labels
        labelling = read(source, preparation, splits, masks)
    if labelling and by_file:  # which may say that what looks like a mask is an image
        masks -= labelling.index_of.keys()
        if split_column := labelling.splits:
            splits = Splits(split_column, by="the column `split` of labels.csv")
    if not use_labels:
        labelling = None
    understood = label_notes(source, labelling) if use_labels else []
    left = [name for name in names if name not in masks]
    chosen = chosen_names(left, splits, split, source.place)
    notes = [*understood, _on_splits(splits, chosen, split)]
    warnings = [None if preparation.masks == BESIDE else _on_masks(masks)]
    if labelling and not by_file:
        without = [name for name in chosen if name not in labelling.index_of]
        warnings.append(_on_unlabelled(without))
        chosen = [name for name in chosen if name in labelling.index_of]
        empty = empty_folders(source.rest, names, _class_parents(splits))
    else:
        empty = [] if by_file else empty_folders(source.rest, names, [])
    labelling = labelling and labelling.only(chosen)
    groups, on_groups = find_groups(chosen, labelling, preparation.groups)
    notes.append(on_groups)
    if labelling and not by_file and not labelling.attributes and len(labelling.classes) == 1:
        labelling = None
    everything, strange = lines_on_other_files(source.rest)
    warnings += [_on_empty(empty), strange]
    return ChosenImages(
        source=ChosenSource(source, chosen),
        labelling=labelling,
        groups=groups,
        masks={name: image for name, image in beside.items() if name in masks},
        notes=[line for line in notes if line is not None],
        warnings=[line for line in warnings if line is not None],
        companions=None if everything == strange else everything,
    )


def choose_or_propose(source: Source, preparation: Preparation) -> tuple[ChosenImages, str | None]:
    """`choose_images`; where a table has no column of classes, but others, by these, and what `attributes` they are."""
    try:
        return choose_images(source, preparation), None
    except OnlyAttributes as error:
        if not preparation.use_labels:
            raise
        chosen = choose_images(source, replace(preparation, attributes=parse_attributes(error.proposal)))
        note = f"no column of the table holds classes: it is taken as `attributes` {error.proposal}"
        return replace(chosen, notes=[*chosen.notes, note]), error.proposal


def _class_parents(splits: Splits) -> set[str]:
    """The folders that the classes' folders lie in."""
    return {name[: len(name) - len(below)] for name, below in splits.below.items() if name.endswith(below)} or {""}


def _on_masks(masks: Collection[str]) -> str | None:
    if not masks:
        return None
    one = len(masks) == 1
    files = (
        "1 file is a mask or thumbnail of an image" if one else f"{len(masks)} files are masks or thumbnails of images"
    )
    return f"{files} (such as {min(masks)!r:.200}): left out"


def _on_splits(splits: Splits, chosen: Collection[str], split: str | None) -> str | None:
    if not splits.of or (split is None and splits.by != "folders"):
        return None
    words = ", ".join(splits.names[:8])
    if split is None:
        return f"folders {words} are splits, no classes: {len(chosen)} images of all of them are taken; `split` chooses"
    return f"`split` {split}: {len(chosen)} of {len(splits.of)} images are taken, by {splits.by} ({words})"


def _on_unlabelled(names: Sequence[str]) -> str | None:
    if not names:
        return None
    return f"{len(names)} images lie in no folder of a class (such as {names[0]!r:.200}), others do: left out"


def _on_empty(folders: Sequence[str]) -> str | None:
    if not folders:
        return None
    shown = ", ".join(f"{folder!r:.100}" for folder in folders[:8])
    more = f" and {len(folders) - 8} more" if len(folders) > 8 else ""
    if len(folders) == 1:
        return f"the folder {shown} holds no image that can be read: it becomes no class"
    return f"{len(folders)} folders hold no image that can be read: {shown}{more}: they become no classes"


def empty_folders(rest: OtherFiles, names: Iterable[str], class_parents: Iterable[str]) -> list[str]:
    """Folders without any image among the folders of classes. names: all images; class_parents: the folders that those
    lie in, "" or "a/b/", both as the source names them."""
    holding = {""}
    for name in names:
        parts = (rest.top + name).split("/")
        holding.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    filled: dict[str, list[str]] = {}
    for file in rest.files:
        parts = file.split("/")
        for depth in range(1, len(parts)):
            filled.setdefault("/".join(parts[:depth]), []).append(file)
    parents = {(rest.top + parent).rstrip("/") for parent in class_parents}
    # what was looked through had no class beside it; a folder of notes or boxes beside it is none
    above = {rest.top.rstrip("/").rpartition("/")[0]} if rest.top else set()
    found = []
    for folder in sorted({*rest.folders, *filled} - holding):
        parent, _, base = folder.rpartition("/")
        noted = folder in filled and all(map(is_companion, filled[folder]))
        if not is_mask_folder(base) and (parent in parents or (parent in above and not noted)):
            found.append(folder)
    return found
