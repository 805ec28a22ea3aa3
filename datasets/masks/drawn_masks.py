"""Masks that are drawn from annotations, as shares of pixels that kinds cover."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ...config.masks import MOST_KINDS, kind_names
from ...config.preparation import Preparation
from ..labels.masks import stem_of
from ..reading.picture_names import file_of
from .annotations import Annotations, draw, require_drawing
from .errors import MaskError, NoKinds
from .file_masks import check_size
from .notes import kinds_text
from .pairing import complete, ends_of


class DrawnMasks:
    """Masks that are drawn from annotations."""

    def __init__(
        self,
        annotations: Annotations,
        names: Sequence[str],
        top: str,
        preparation: Preparation,
        everything: Sequence[str] = (),
    ):
        """names: of the images that are taken, of `everything` that the source has, () where these are all."""
        require_drawing()
        self._place = annotations.place
        keys = _keys(annotations, top, names, everything or names)
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
                raise MaskError(f"`masks` {self._place}: no outline is in it")
            if len(names) > MOST_KINDS:
                raise MaskError(
                    f"`masks` {self._place}: outlines of {len(names)} classes ({', '.join(names[:8])}), where there "
                    f"may be {MOST_KINDS} kinds: say with `mask_kinds` which count"
                )
            return {name: index for index, name in enumerate(names)}
        kinds = kind_names(preparation.mask_kinds)
        for kind in preparation.mask_kinds:
            if str(kind.value) not in counts and not kind.optional:
                raise NoKinds(
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
            raise MaskError(f"`masks` {self._place}: what it says of {name!r:.200} is no outline ({error})") from None


def _keys(annotations: Annotations, top: str, names: Sequence[str], everything: Sequence[str]) -> dict[str, str | None]:
    """The name that annotations have for each image: the one that ends as its path does, the longest end first
    (images/train/1 and labels/train/1); the last part alone counts where no other image has it."""
    by_end: dict[str, list[str]] = {}
    for key in annotations.of:
        for end in ends_of(key):
            by_end.setdefault(end, []).append(key)
    bases = Counter(PurePosixPath(stem_of(name)).name for name in everything)
    found: dict[str, str | None] = {}
    for name in names:
        stem = stem_of(top + name)
        found[name] = None
        for end in ends_of(stem):
            if "/" not in end and bases[end] > 1:
                break
            own = [end] if end in annotations.of else by_end.get(end, [])
            if own:
                found[name] = own[0] if len(own) == 1 else None
                break
    return found
