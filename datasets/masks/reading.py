"""The masks of a set's images, wherever they lie: each as the shares of pixels that its kinds cover."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...config.masks import ALPHA, BESIDE
from ...config.preparation import Preparation
from ...files import user_path
from ..labels.chosen import ChosenImages
from ..labels.masks import stem_of
from ..reading.sources import Source, open_source
from .errors import MaskError

DESCRIBING = (".json", ".txt", ".yaml", ".names")  # files of annotations


class Masks(Protocol):
    """kinds: names, in the order of channels. notes: lines on how they were understood."""

    kinds: tuple[str, ...]
    notes: list[str]

    def shares(self, name: str, size: tuple[int, int]) -> tuple[NDArray[np.float32], list[str]]:
        """float32 [K, H, W], in [0, 1], of an image of that size, and marks of `notes`. Raises Unreadable for
        a damaged mask, UserError for one of another size."""
        ...


@contextmanager
def open_masks(source: Source, masks: str | None) -> Iterator["MaskPlace"]:
    """Where the masks of a source's images lie. UserError if there is no such place."""
    if masks is None or masks in (BESIDE, ALPHA):
        yield MaskPlace(source, masks, None, None)
        return
    path = user_path(masks)
    if path.is_file() and path.suffix.lower() == ".json":
        yield MaskPlace(source, masks, None, path)
        return
    with open_source(masks) as files:
        if files.names or not path.is_dir():
            yield MaskPlace(source, masks, files, None)
        else:
            yield MaskPlace(source, masks, None, path)


class MaskPlace:
    """The place of masks, before they are paired with images."""

    def __init__(self, source: Source, masks: str | None, files: Source | None, annotations: Path | None):
        self._source, self._masks, self._files, self._annotations = source, masks, files, annotations

    def identity(self) -> str | None:
        """A digest that changes as the masks do, beside what the source's own says; None where that says it all."""
        if self._files is not None:
            return self._files.identity()
        places = [] if self._annotations is None else [self._annotations]
        if not places and self._masks == BESIDE:
            places = self._in_folder()
        if not places:
            return None
        found = [place for place in places if place.is_file()]
        for place in places:
            if place.is_dir():  # YOLO's classes may be named beside the folder
                inside, above = sorted(place.rglob("*")), sorted(place.parent.iterdir())
                found += [file for file in (*inside, *above) if file.suffix in DESCRIBING]
        stamps = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in found]
        return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()

    def read(self, chosen: ChosenImages, preparation: Preparation) -> Masks | None:
        """The masks of the chosen images. UserError where one is missing, or kinds cannot be told."""
        # a packed set is read without Pillow
        from .annotations import read_annotations
        from .drawn_masks import DrawnMasks
        from .file_masks import AlphaMasks, FileMasks
        from .pairing import masks_beside, masks_in_folder

        names, unmasked = chosen.source.names, preparation.unmasked
        if self._masks is None:
            return None
        if self._masks == ALPHA and preparation.bands:
            raise MaskError("`bands`: they leave no transparency, which `masks` alpha takes, leave one of the two out")
        if self._masks == ALPHA:
            return AlphaMasks(self._source, preparation)
        places = [self._annotations] if self._annotations else self._in_folder()
        if self._masks == BESIDE and (chosen.masks or not places):
            return FileMasks(self._source, masks_beside(names, chosen.masks, unmasked), preparation)
        if self._files is not None:
            tops = self._source.rest.top, self._files.rest.top
            pairs = masks_in_folder(names, tops[0], self._files.names, tops[1], unmasked)
            return FileMasks(self._files, pairs, preparation)
        if len(places) > 1:
            found = ", ".join(sorted(place.name for place in places)[:5])
            raise MaskError(f"`masks` auto: there are {len(places)} files of annotations ({found}), name one of them")
        bases = {stem_of(name).rpartition("/")[2] for name in names}
        annotations = read_annotations(places[0], bases)
        return DrawnMasks(annotations, names, self._source.rest.top, preparation, self._source.names)

    def _in_folder(self) -> list[Path]:
        """Annotations among a folder's files: files, or the folder in which they lie beside its images."""
        rest = self._source.rest
        root = self._source.place.removesuffix("/" + rest.top.rstrip("/")) if rest.top else self._source.place
        if not os.path.isdir(root):
            return []
        coco = [file for file in rest.files if _is_coco(file.rpartition("/")[2].lower())]
        if coco:
            return [Path(root) / file for file in coco]
        stems = {stem_of(name).rpartition("/")[2] for name in self._source.names}
        drawn = [file for file in rest.files if file.lower().endswith((".json", ".txt"))]
        return [Path(root)] if any(stem_of(file).rpartition("/")[2] in stems for file in drawn) else []


def _is_coco(base: str) -> bool:
    return base.endswith(".json") and ("coco" in base or base.startswith(("annotation", "instances")))
