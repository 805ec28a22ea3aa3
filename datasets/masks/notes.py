"""Lines on a set's masks: what was done with them, and what they show."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

BETWEEN, LOSSY, IGNORED = "values between kinds", "saved as JPEG", "with ignored pixels"  # marks of a mask
EMPTY, FULL, THIN = "nothing marked", "everything marked", "nothing marked by half a pixel"  # and of its image
WORDS = {
    BETWEEN: "masks have values between those of their kinds: they are rounded to the nearest",
    LOSSY: "masks are JPEG, which blurs their edges: save masks as PNG",
    IGNORED: "masks have pixels to be ignored, which count as background",
}
EDGE = 0.5  # the share of a pixel from which on it counts as marked


def marks_of_mask(shares: NDArray[np.float32], before: bool) -> Iterator[str]:
    """Yields the marks of a mask [K, H, W] at the size of training. before: whether anything was marked in the file."""
    marked = shares.max(axis=0) >= EDGE
    if not before:
        yield EMPTY
    elif not marked.any():
        yield THIN
    elif marked.all():
        yield FULL


def mask_notes(marks: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Warnings on a set. marks: of each image by name."""
    counts = Counter(mark for own in marks.values() for mark in set(own))
    yield from (f"{counts[mark]} {words}" for mark, words in WORDS.items() if counts[mark])
    first = {mark: next((name for name, own in marks.items() if mark in own), "") for mark in (THIN, FULL)}
    if counts[THIN]:
        yield (
            f"{counts[THIN]} masks fill no pixel by half at this size (first: {first[THIN]!r:.200}): give a larger "
            "`size`, or draw them wider"
        )
    if counts[FULL]:
        yield f"{counts[FULL]} masks cover their whole image (first: {first[FULL]!r:.200}): is their background 0?"
    if marks and counts[EMPTY] == len(marks):
        yield "no mask marks anything"


def kinds_text(kinds: Sequence[str]) -> str:
    """ "2 kinds: crack, dent" """
    return f"1 kind: {kinds[0]}" if len(kinds) == 1 else f"{len(kinds)} kinds: {', '.join(kinds)}"
