"""Look at a source before training on it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...config.preparation import Preparation
from ...errors import UserError
from ...progress import Progress
from ..holdout.copies import CopiesInSet, hold_out_pictures, on_apart
from ..holdout.random_share import pooled
from ..holdout.same_picture import same_pairs
from ..labels.chosen import choose_or_propose
from ..labels.labelling import Labelling, label_warnings, require_two_each
from ..masks.reading import open_masks
from ..packing.notes import BLANK, pixel_notes
from ..packing.value_range import values_apart, whole_range, words
from ..reading.opening import PLAIN, open_picture, open_values, read_headers
from ..reading.parallel import map_readable
from ..reading.picture_names import file_of
from ..reading.sources import Source, open_source
from ..reading.unreadable import Unreadable
from .attributes import AttributeCounts, attribute_counts, empty_combinations, proposals
from .image_facts import ImageFacts, image_facts
from .masks import MaskCounts, mask_counts
from .warnings import class_warnings, duplicate_warnings, image_warnings, near_warnings

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
    picture otherwise; of each group of exact duplicates only the first is compared. gray: whether no image has colour.
    gray_range: the lowest and the highest gray level of images of 8 bits, 0 to 255; value_range: of those of more, in
    the files' own units; None where there are none. groups: how many a rule or labels.csv names; None where there are
    none. labels_refused: why training would refuse the labels; None where it would not. holdout: how many images
    `holdout` 0.1 would keep from training. warnings: a line each. notes: on how labels were understood, a line each.
    attributes: what images are labelled by, where that is not one class, and classes are combinations of values; None
    otherwise. empty_combinations: those that no image has. proposed: what was taken for `attributes`, which was not
    given, since a table has no column of classes. masks: what they show, where the preparation asks for them.
    """

    source: str
    images: int
    classes: dict[str, int] | None
    sizes: list[SizeCount]
    modes: dict[str, int]
    unreadable: list[UnreadableFile]
    duplicates: list[list[str]]
    near_duplicates: list[list[str]]
    gray: bool
    gray_range: tuple[int, int] | None
    value_range: tuple[float, float] | None
    groups: int | None
    labels_refused: str | None
    holdout: int
    warnings: list[str]
    notes: list[str] = field(default_factory=list)
    attributes: list[AttributeCounts] | None = None
    empty_combinations: list[str] = field(default_factory=list)
    proposed: str | None = None
    masks: MaskCounts | None = None


def inspect_source(source: str, preparation: Preparation = PLAIN, *, progress: Progress | None = None) -> Inspection:
    """Decode every image of a source and tell what was found. UserError on a bad source or label file.

    preparation: how its labels, splits, pages and bands are to be taken.

    Beside the names of the images a kilobyte of each stays in memory.
    """
    facts: dict[str, ImageFacts] = {}
    with open_source(source) as opened, open_masks(opened, preparation.masks) as place:
        chosen, proposed = choose_or_propose(opened, preparation)
        reader = place.read(chosen, preparation)
        labelling = chosen.labelling
        headers, failed = read_headers(chosen.source, preparation)
        names = list(headers)
        labelling = labelling and labelling.of_pictures({name: file_of(name) for name in names})
        unreadable = [UnreadableFile(name, reason) for name, reason in failed.items()]
        group_of = chosen.groups and {name: chosen.groups[file_of(name)] for name in names}
        for done, (name, found) in enumerate(
            map_readable(lambda name: image_facts(opened, name, preparation), names), start=1
        ):
            if isinstance(found, Unreadable):
                unreadable.append(UnreadableFile(name, str(found)))
            else:
                facts[name] = found
            if progress:
                progress(done, len(names))
        apart = _values_apart(opened, facts, preparation)
        sizes = {name: (seen.header.height, seen.header.width) for name, seen in facts.items()}
        masks = None if reader is None else mask_counts(reader, sizes)
        for name, reason in (masks.damaged if masks else {}).items():  # training leaves its image out
            unreadable.append(UnreadableFile(name, reason))
            del facts[name], sizes[name]
    by_attributes = bool(labelling and labelling.attributes)
    if labelling and by_attributes and facts:
        labelling = labelling.only(facts)
    classes = _count_classes(labelling, list(facts)) if labelling else None
    size_counts = Counter(sizes.values())
    same = _same_pixels(facts)
    duplicates = [group for group in same if len(group) > 1]
    near = _near_duplicates(facts, [group[0] for group in same])
    refused = _labels_refused(list(facts), labelling)
    held, torn = _held_out(facts, None if refused else labelling, group_of, duplicates, near)
    class_of = labelling.class_of if labelling else None
    return Inspection(
        source=source,
        images=len(facts),
        classes=classes,
        sizes=[SizeCount(height, width, count) for (height, width), count in size_counts.most_common()],
        modes=dict(Counter(seen.header.mode for seen in facts.values()).most_common()),
        unreadable=unreadable,
        duplicates=duplicates,
        near_duplicates=near,
        gray=all(seen.header.gray for seen in facts.values()),
        gray_range=_gray_range(facts),
        value_range=_value_range(facts),
        groups=len({group_of[name] for name in facts}) if group_of else None,
        labels_refused=refused,
        holdout=held,
        warnings=[
            *label_warnings(labelling),
            *chosen.warnings,
            *([chosen.companions] if chosen.companions else []),
            *class_warnings({} if by_attributes else classes or {}),
            *image_warnings(facts.values(), len(size_counts), len(unreadable), preparation),
            *_on_pixels(facts, class_of),
            *([] if apart is None else [apart]),
            *duplicate_warnings(duplicates, class_of, group_of.__getitem__ if group_of else None),
            *near_warnings(near, class_of, group_of.__getitem__ if group_of else None),
            *on_apart(torn),
            *(masks.warnings if masks else ()),
        ],
        notes=[*chosen.notes, *([] if proposed else proposals(chosen, preparation)), *(masks.notes if masks else ())],
        attributes=attribute_counts(labelling) if labelling and by_attributes else None,
        empty_combinations=empty_combinations(labelling) if labelling else [],
        proposed=proposed,
        masks=masks,
    )


def _count_classes(labelling: Labelling, names: Sequence[str]) -> dict[str, int]:
    counts = Counter(labelling.index_of[name] for name in names)
    return {label: counts[index] for index, label in enumerate(labelling.classes)}


def _same_pixels(facts: Mapping[str, ImageFacts]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name, seen in facts.items():
        groups.setdefault(seen.digest, []).append(name)
    return list(groups.values())


def _near_duplicates(facts: Mapping[str, ImageFacts], names: Sequence[str]) -> list[list[str]]:
    if not names:
        return []
    pairs = same_pairs(np.stack([facts[name].small for name in names]))
    return [[names[first], names[second]] for first, second in pairs.tolist()]


def _gray_range(facts: Mapping[str, ImageFacts]) -> tuple[int, int] | None:
    plain = [seen for seen in facts.values() if seen.values is None]
    return (min(seen.darkest for seen in plain), max(seen.brightest for seen in plain)) if plain else None


def _value_range(facts: Mapping[str, ImageFacts]) -> tuple[float, float] | None:
    values = [seen.values for seen in facts.values() if seen.values is not None]
    return (min(found.low for found in values), max(found.high for found in values)) if values else None


def _on_pixels(facts: Mapping[str, ImageFacts], class_of: Callable[[str], str] | None) -> Iterator[str]:
    channels = 1 if all(seen.header.gray for seen in facts.values()) else 3
    classes = {name: class_of(name) for name in facts} if class_of else {}
    return pixel_notes({name: seen.marks for name, seen in facts.items()}, channels, classes)


def _values_apart(source: Source, facts: Mapping[str, ImageFacts], preparation: Preparation) -> str | None:
    """A warning, where training would take the range from all values."""
    values = {name: seen.values for name, seen in facts.items() if seen.values is not None}
    voi = {seen.header.voi for seen in facts.values()}
    if len(values) < len(facts) or (len(voi) == 1 and voi != {None}):
        return None

    def values_of(name: str) -> NDArray[np.float32]:
        with open_picture(source, name) as (stream, picture):
            return open_values(stream, picture, preparation)

    def images() -> Iterator[NDArray[np.float32]]:
        return (found for _, found in map_readable(values_of, list(values)) if not isinstance(found, Unreadable))

    apart = values_apart(list(values.values()), images)
    return None if apart is None else words(apart, *whole_range(values.values()))


def _labels_refused(names: Sequence[str], labelling: Labelling | None) -> str | None:
    if labelling:
        try:
            require_two_each(names, labelling)
        except UserError as error:
            return str(error)
    return None


def _held_out(
    facts: Mapping[str, ImageFacts],
    labelling: Labelling | None,
    group_of: Mapping[str, str] | None,
    duplicates: Sequence[Sequence[str]],
    near: Sequence[Sequence[str]],
) -> tuple[int, int]:
    """The numbers of images that `holdout_split` would hold out with seed 0, and that may have a near copy on the other
    side."""
    if not facts:
        return 0, 0
    names = list(facts)
    index_of = {name: index for index, name in enumerate(names)}
    labels = np.array([labelling.index_of[name] if labelling else 0 for name in names])
    exact = np.arange(len(names))
    for same in duplicates:
        if not (group_of and BLANK in facts[same[0]].marks):  # as `find_copies_in_set`
            exact[[index_of[name] for name in same]] = index_of[same[0]]
    pairs = np.array([[index_of[name] for name in pair] for pair in near], np.int64).reshape(-1, 2)
    order = np.random.default_rng([0, 1]).permutation(len(names))
    groups = [group_of[name] for name in names] if group_of else None
    if labelling and labelling.attributes:
        labels = pooled(labels, HOLDOUT)
    held, apart = hold_out_pictures(order, labels, groups, CopiesInSet(exact, pairs), HOLDOUT)
    return len(held), len(apart)
