"""The files of a prepared set: where each image goes, and its label file."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from ...errors import UserError
from ..labels.labelling import Labelling
from ..reading.picture_names import file_of

PNG = ".png"


def target_names(names: Sequence[str]) -> dict[str, str]:
    """The target of each image: its own path with the suffix .png. No two targets are the same, even in small letters.

    An image whose place is taken keeps its suffix, too: a.jpg beside a.png becomes a.jpg.png. The second picture of a
    file, a.dcm#0002, becomes a.dcm-0002.png. UserError for a name that
    leads out of the folder, as a zip can hold.
    """
    targets: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names, key=lambda name: (not name.endswith(PNG), name)):
        if ".." in PurePosixPath(name).parts or Path(name).is_absolute() or Path(name).drive:
            raise UserError(f"the image {name!r} lies outside its own folder: rename it in the source")
        several = file_of(name) != name
        target = "-".join(name.rsplit("#", 1)) + PNG if several else str(PurePosixPath(name).with_suffix(PNG))
        if target.lower() in taken:
            target = name + PNG
        while target.lower() in taken:
            target = target.removesuffix(PNG) + "_" + PNG
        taken.add(target.lower())
        targets[name] = target
    return targets


def label_rows(labelling: Labelling) -> Sequence[Mapping[str, str]]:
    """A row of labels.csv per image, with all its columns."""
    if labelling.rows is None:
        return [{"file": name, "label": labelling.classes[index]} for name, index in labelling.index_of.items()]
    return labelling.rows


def write_label_rows(path: Path, rows: Sequence[Mapping[str, str]], targets: Mapping[str, str]) -> None:
    """labels.csv of the images in `targets` (name in the source -> name in the set)."""
    pictures: dict[str, list[str]] = {}
    for name, target in targets.items():
        pictures.setdefault(file_of(name), []).append(target)
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(
            file, [column for column in rows[0] if column], extrasaction="ignore", lineterminator="\n"
        )
        table.writeheader()
        table.writerows({**row, "file": target} for row in rows for target in pictures.get(row["file"], []))
