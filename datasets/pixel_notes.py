"""What is said of images after they were decoded: blank ones, gray ones saved as colour, holes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class PixelNotes:
    """blank: names of images of one colour. coloured: how many are not gray. opaque: how many had an alpha of 0
    everywhere. missing: how many have pixels where nothing was measured."""

    images: int = 0
    channels: int = 0
    blank: list[str] = field(default_factory=list)
    coloured: int = 0
    opaque: int = 0
    missing: int = 0

    def add(self, name: str, planes: NDArray[Any], opaque: bool, missing: bool) -> None:
        """planes: [C, H, W], as they are trained on."""
        self.images += 1
        self.channels = len(planes)
        self.opaque += opaque
        self.missing += missing
        if (planes == planes[:, :1, :1]).all():
            self.blank.append(name)
        self.coloured += len(planes) == 3 and not (np.array_equal(*planes[:2]) and np.array_equal(*planes[1:]))

    def lines(self, class_of: Mapping[str, str]) -> Iterator[str]:
        """class_of: of labelled images by name."""
        if self.channels == 3 and not self.coloured:
            yield f"all {self.images} images are gray, saved in colour: `channels` gray does, and trains sooner"
        if self.opaque:
            yield f"warning: {self.opaque} images have an alpha of 0 everywhere: it is ignored, as if they were opaque"
        if self.missing:
            yield (
                f"{self.missing} images have pixels where nothing was measured (NaN, or what their files name for it): "
                "these are taken as black"
            )
        yield from (f"warning: {line}" for line in blank_lines(self.blank, class_of))


def blank_lines(blank: list[str], class_of: Mapping[str, str]) -> Iterator[str]:
    """On images of one colour throughout, and on classes that have no others."""
    if not blank:
        return
    yield f"{len(blank)} images are blank, of one colour throughout (first: {blank[0]!r})"
    counts, blanks = Counter(class_of.values()), Counter(class_of[name] for name in blank if name in class_of)
    for label, count in blanks.items():
        if count == counts[label]:
            yield f"all images of class {label!r} are blank"
