"""Notes on decoded images, the same in training and in `inspect_source`."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..reading.decode import DOUBTFUL, MISSING, OPAQUE

BLANK = "of one colour throughout"
NO_COLOR = "gray, saved in colour"
WORDS = {
    OPAQUE: "images have an alpha of 0 everywhere: it is ignored, as if they were opaque",
    DOUBTFUL: "images are hardly opaque anywhere, by their fourth band: if that is no transparency, give `bands` 1,2,3",
    MISSING: "images have pixels where nothing was measured (NaN, or what their files name for it), which become black",
}


def marks_of(planes: NDArray[Any]) -> Iterator[str]:
    """Yields the marks of an image [C, H, W] that its pixels show."""
    if (planes == planes[:, :1, :1]).all():
        yield BLANK
    if len(planes) == 3 and np.array_equal(planes[0], planes[1]) and np.array_equal(planes[1], planes[2]):
        yield NO_COLOR


def pixel_notes(marks: Mapping[str, Collection[str]], channels: int, class_of: Mapping[str, str]) -> Iterator[str]:
    """Lines on a set. marks: of each image by name. channels: that they are taken with. class_of: of labelled ones."""
    counts = Counter(mark for own in marks.values() for mark in own)
    yield from (f"{counts[mark]} {words}" for mark, words in WORDS.items() if counts[mark])
    blank = [name for name, own in marks.items() if BLANK in own]
    if blank:
        yield f"{len(blank)} images are blank, {BLANK} (first: {blank[0]!r})"
    whole, blanks = Counter(class_of.values()), Counter(class_of[name] for name in blank if name in class_of)
    yield from (f"all images of class {label!r} are blank" for label, count in blanks.items() if count == whole[label])
    if channels == 3 and marks and counts[NO_COLOR] == len(marks):
        yield f"all {len(marks)} images are {NO_COLOR}: `channels` gray does, and trains sooner"
