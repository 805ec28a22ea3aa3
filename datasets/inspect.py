"""Look at a source before training on it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from .decode import Unreadable
from .inspect_warnings import class_warnings, duplicate_warnings, image_warnings, near_warnings
from .labels import Labelling, require_two_each
from .look import Look, look
from .opening import read_headers
from .parallel import map_readable
from .pictures_of_files import file_of
from .progress import Progress
from .same_picture import same_pairs
from .sources import open_source
from .split import hold_out
from .taken import take

HOLDOUT = 0.1


@dataclass(frozen=True)
class SizeCount:
    height: int
    width: int
    count: int


@dataclass(frozen=True)
class UnreadableFile:
    file: str
    reason: str


@dataclass(frozen=True)
class Inspection:
    """images: how many can be read. classes: readable images of each; None when unlabelled. modes: Pillow's.

    duplicates: groups of files whose decoded pixels are the same. near_duplicates: pairs of files that show the same
    picture otherwise; of each group of exact duplicates only the first is compared. gray_range: the lowest and the
    highest gray level of all pixels, 0 to 255, after 16 bits became 8; None without images. groups: how many labels.csv
    names; None where it names none. labels_refused: why training would refuse the labels; None where it would not.
    holdout: how many images `holdout` 0.1 would keep from training. warnings: a line each.
    """

    source: str
    images: int
    classes: dict[str, int] | None
    sizes: list[SizeCount]
    modes: dict[str, int]
    unreadable: list[UnreadableFile]
    duplicates: list[list[str]]
    near_duplicates: list[list[str]]
    gray_range: tuple[int, int] | None
    groups: int | None
    labels_refused: str | None
    holdout: int
    warnings: list[str]


def inspect_source(
    source: str, *, use_labels: bool = True, split: str | None = None, progress: Progress | None = None
) -> Inspection:
    """Decode every image of a source and tell what was found. UserError on a bad source or label file.

    split: as in `Preparation`. Beside the names of the images a kilobyte of each stays in memory.
    """
    looks: dict[str, Look] = {}
    with open_source(source) as opened:
        taken = take(opened, use_labels=use_labels, split=split)
        labelling = taken.labelling
        headers, failed = read_headers(taken.source)
        names = list(headers)
        labelling = labelling and labelling.of_pictures({name: file_of(name) for name in names})
        unreadable = [UnreadableFile(name, reason) for name, reason in failed.items()]
        group_of = labelling.groups if labelling else None
        for done, (name, found) in enumerate(map_readable(lambda name: look(opened, name), names), start=1):
            if isinstance(found, Unreadable):
                unreadable.append(UnreadableFile(name, str(found)))
            else:
                looks[name] = found
            if progress:
                progress(done, len(names))
    classes = _count_classes(labelling, list(looks)) if labelling else None
    sizes = Counter((seen.header.height, seen.header.width) for seen in looks.values())
    same = _same_pixels(looks)
    duplicates = [group for group in same if len(group) > 1]
    near = _near_duplicates(looks, [group[0] for group in same])
    refused = _labels_refused(list(looks), labelling)
    class_of = labelling.index_of.__getitem__ if labelling else None
    return Inspection(
        source=source,
        images=len(looks),
        classes=classes,
        sizes=[SizeCount(height, width, count) for (height, width), count in sizes.most_common()],
        modes=dict(Counter(seen.header.mode for seen in looks.values()).most_common()),
        unreadable=unreadable,
        duplicates=duplicates,
        near_duplicates=near,
        gray_range=_gray_range(looks),
        groups=len({group_of[name] for name in looks}) if group_of else None,
        labels_refused=refused,
        holdout=_count_held_out(list(looks), None if refused else labelling, group_of),
        warnings=[
            *taken.notes,
            *([taken.companions] if taken.companions else []),
            *class_warnings(classes or {}),
            *image_warnings(looks.values(), len(sizes), len(unreadable)),
            *duplicate_warnings(duplicates, class_of, group_of.__getitem__ if group_of else None),
            *near_warnings(near, class_of, group_of.__getitem__ if group_of else None),
        ],
    )


def _count_classes(labelling: Labelling, names: Sequence[str]) -> dict[str, int]:
    counts = Counter(labelling.index_of[name] for name in names)
    return {label: counts[index] for index, label in enumerate(labelling.classes)}


def _same_pixels(looks: Mapping[str, Look]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name, seen in looks.items():
        groups.setdefault(seen.digest, []).append(name)
    return list(groups.values())


def _near_duplicates(looks: Mapping[str, Look], names: Sequence[str]) -> list[list[str]]:
    if not names:
        return []
    pairs = same_pairs(np.stack([looks[name].small for name in names]))
    return [[names[first], names[second]] for first, second in pairs.tolist()]


def _gray_range(looks: Mapping[str, Look]) -> tuple[int, int] | None:
    if not looks:
        return None
    return min(seen.darkest for seen in looks.values()), max(seen.brightest for seen in looks.values())


def _labels_refused(names: Sequence[str], labelling: Labelling | None) -> str | None:
    if labelling:
        try:
            require_two_each(names, labelling)
        except UserError as error:
            return str(error)
    return None


def _count_held_out(names: Sequence[str], labelling: Labelling | None, group_of: Mapping[str, str] | None) -> int:
    """With seed 0, as `split` would."""
    if not names:
        return 0
    labels = np.array([labelling.index_of[name] if labelling else 0 for name in names])
    groups = tuple(group_of[name] for name in names) if labelling and group_of else None
    order = np.random.default_rng([0, 1]).permutation(len(names))
    return len(hold_out(order, labels, groups, HOLDOUT))
