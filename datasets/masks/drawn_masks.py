"""Masks that are drawn from annotations, as shares of pixels that kinds cover."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ...config.masks import MOST_KINDS, kind_names
from ...config.preparation import Preparation
from ...errors import UserError
from ..labels.masks import stem_of
from ..reading.picture_names import file_of
from .annotations import Annotations, draw, require_drawing
from .file_masks import check_size
from .notes import kinds_text
from .pairing import complete


class DrawnMasks:
    """Masks that are drawn from annotations."""

    def __init__(self, annotations: Annotations, names: Sequence[str], top: str, preparation: Preparation):
        require_drawing()
        self._place = annotations.place
        keys = _keys(annotations, top, names)
        used = set(keys.values())
        self._of = complete(
            {name: None if key is None else annotations.of[key] for name, key in keys.items()}, preparation.unmasked
        )
        kinds = Counter(shape.kind for one in annotations.of.values() for shape in one.shapes)
        self._kind_of = self._choose(kinds, preparation)
        self.kinds = tuple(dict.fromkeys(kind_names(preparation.mask_kinds) or self._kind_of))
        shapes = sum(len(one.shapes) for one in self._of.values() if one is not None)
        self.notes = [f"masks: {shapes} outlines in {self._place}, {kinds_text(self.kinds)}"]
        gone = [key for key in annotations.of if key not in used]
        if gone:
            self.notes.append(
                f"warning: {len(gone)} of {len(annotations.of)} images of {self._place} are not there "
                f"(first: {gone[0]!r:.200})"
            )

    def _choose(self, counts: Mapping[str, int], preparation: Preparation) -> dict[str, int]:
        if not preparation.mask_kinds:
            names = sorted(counts)
            if not names:
                raise UserError(f"`masks` {self._place}: no outline is in it")
            if len(names) > MOST_KINDS:
                raise UserError(
                    f"`masks` {self._place}: outlines of {len(names)} classes ({', '.join(names[:8])}), where there "
                    f"may be {MOST_KINDS} kinds: say with `mask_kinds` which count"
                )
            return {name: index for index, name in enumerate(names)}
        kinds = kind_names(preparation.mask_kinds)
        for kind in preparation.mask_kinds:
            if str(kind.value) not in counts:
                raise UserError(
                    f"`mask_kinds` {kind.value}: {self._place} has no outline of it, there are "
                    f"{', '.join(sorted(counts)[:8])}"
                )
        return {str(kind.value): kinds.index(kind.name) for kind in preparation.mask_kinds}

    def shares(self, name: str, size: tuple[int, int]) -> tuple[NDArray[np.float32], list[str]]:
        annotated = self._of[file_of(name)]
        if annotated is None:
            return np.zeros((len(self.kinds), *size), np.float32), []
        if annotated.height is not None and annotated.width is not None:
            check_size(name, size, f"{self._place} says that it", (annotated.height, annotated.width))
        try:
            return draw(annotated, self._kind_of, len(self.kinds), size), []
        except ValueError as error:
            raise UserError(f"`masks` {self._place}: what it says of {name!r:.200} is no outline ({error})") from None


def _keys(annotations: Annotations, top: str, names: Sequence[str]) -> dict[str, str | None]:
    """The name that annotations have for each image: its path from any folder on, the longest first; otherwise the only
    one with its last part, if no other image has that."""
    by_base: dict[str, list[str]] = {}
    for key in annotations.of:
        by_base.setdefault(PurePosixPath(key).name, []).append(key)
    stems = {name: stem_of(top + name) for name in names}
    bases = Counter(PurePosixPath(stem).name for stem in stems.values())
    found: dict[str, str | None] = {}
    for name, stem in stems.items():
        parts = stem.split("/")
        ends = ("/".join(parts[first:]) for first in range(len(parts) - (bases[parts[-1]] > 1)))
        found[name] = next((end for end in ends if end in annotations.of), None)
        if found[name] is None and bases[parts[-1]] == 1 and len(by_base.get(parts[-1], [])) == 1:
            found[name] = by_base[parts[-1]][0]
    return found
