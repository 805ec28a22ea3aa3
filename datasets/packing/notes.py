"""Lines on what was done with a set's images, and on what their pixels look like."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config.preparation import Preparation
from ..reading.decode import DOUBTFUL, MISSING, OPAQUE, Header
from ..reading.picture_names import file_of
from ..reading.resizing import color_behind

KINDS = {"1": "1-bit", "P": "palette", "PA": "palette", "CMYK": "CMYK", "YCbCr": "YCbCr", "LAB": "Lab"}
BLANK = "of one colour throughout"
NO_COLOR = "gray, saved in colour"
WORDS = {
    OPAQUE: "images have an alpha of 0 everywhere: it is ignored, as if they were opaque",
    DOUBTFUL: "images are hardly opaque anywhere, by their fourth band: if that is no transparency, give `bands` 1,2,3",
    MISSING: "images have pixels where nothing was measured (NaN, or what their files name for it), which become black",
}


def conversions(
    headers: Mapping[str, Header], kept: Iterable[str], channels: int, preparation: Preparation, beyond_8_bits: bool
) -> str | None:
    """The line on the images `kept`; None if all are as their files have them."""
    kept = list(kept)
    own = [headers[name] for name in kept]
    target = {1: "gray", 3: "RGB", 4: "RGBA"}[channels]
    parts = []
    for kind in dict.fromkeys(KINDS.values()):
        of_kind = [header for header in own if KINDS.get(header.mode) == kind]
        if of_kind:
            parts.append(f"{len(of_kind)} {kind} converted to {target}")
    plain = [header for header in own if header.mode not in KINDS]
    colored = channels == 1 and sum(not header.gray for header in plain)
    gray = channels > 1 and sum(header.gray for header in plain)
    if colored or gray:
        parts.append(f"{colored or gray} {'colour' if colored else 'gray'} converted to {target}")
    transparent = sum(header.transparent for header in own)
    if transparent and channels < 4:
        parts.append(f"{transparent} with transparency laid on {color_behind(preparation.background)}")
    if channels == 4 and len(own) > transparent:
        parts.append(f"{len(own) - transparent} without transparency made opaque")
    cut = 0 if beyond_8_bits else sum(header.beyond_8_bits for header in own)
    if cut:
        parts.append(f"{cut} of more than 8 bits brought to 8")
    more = [header.bands for header in own if header.bands is not None]
    if more:
        parts.append(f"{len(more)} of {more[0]}, of which the first {more[0].own} are taken (`bands` chooses others)")
    turned = sum(header.turned for header in own)
    if turned:
        parts.append(f"{turned} turned or mirrored as EXIF says")
    several = {file_of(name) for name, header in zip(kept, own, strict=True) if header.frames > 1}
    if several:
        files = f"{len(several)} {'file holds' if len(several) == 1 else 'files hold'} several pictures"
        parts.append(f"{files}, of which {'the first is' if preparation.pages == 'first' else 'all are'} taken")
    return f"{len(own)} images: {', '.join(parts)}" if parts else None


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
