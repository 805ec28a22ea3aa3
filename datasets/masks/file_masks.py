"""Masks in image files, and the images' own transparency, as shares of pixels that kinds cover."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...config.preparation import ALL, Preparation
from ..reading.decode import OPAQUE
from ..reading.opening import open_image, open_picture, read_header
from ..reading.parallel import map_readable
from ..reading.picture_names import file_of, page_of
from ..reading.sources import Source
from ..reading.unreadable import Unreadable
from .codes import is_lossy, read_codes
from .errors import MaskError
from .kinds import ONLY, Kinds, Value, asked_kinds, found_kinds, values_of_mask, values_of_masks
from .notes import BETWEEN, IGNORED, LOSSY, kinds_text


class FileMasks:
    """Masks in image files. pairs: those of each image; none of one that shows nothing."""

    def __init__(self, source: Source, pairs: Mapping[str, Sequence[str]], preparation: Preparation):
        self._source, self._pairs, self._ignore = source, pairs, preparation.ignore
        self._chosen = self._choose(preparation)
        self.kinds = self._chosen.names
        self.notes = [f"masks: {_files_text(pairs)}, {kinds_text(self.kinds)}"]

    def _choose(self, preparation: Preparation) -> Kinds:
        names = [name for masks in self._pairs.values() for name in masks]

        def look_at(name: str) -> tuple[dict[int, Value], bool]:
            codes, lossy = self._codes(name, 0)
            each = [values_of_mask(codes)]
            for picture in range(1, self._pictures(name) if preparation.pages == ALL else 1):
                each.append(values_of_mask(self._codes(name, picture)[0]))
            return values_of_masks(each), lossy

        found = [one for _, one in map_readable(look_at, list(dict.fromkeys(names))) if not isinstance(one, Unreadable)]
        values, lossy = values_of_masks(one for one, _ in found), any(lossy for _, lossy in found)
        if not values:
            raise MaskError(f"`masks`: none of them can be read (first: {names[0]!r:.200}): save them as PNG")
        if preparation.mask_kinds:
            return asked_kinds(values, preparation.mask_kinds, preparation.ignore, lossy)
        return found_kinds(values, preparation.ignore, lossy)

    def _pictures(self, mask: str) -> int:
        with open_picture(self._source, mask) as (stream, _):
            header = read_header(stream)
        return max(header.pictures, header.frames)

    def _codes(self, mask: str, picture: int) -> tuple[NDArray[np.uint32], bool]:
        with open_picture(self._source, mask) as (stream, _):
            lossy = is_lossy(stream)
            return read_codes(stream, picture), lossy

    def shares(self, name: str, size: tuple[int, int]) -> tuple[NDArray[np.float32], list[str]]:
        planes, marks = np.zeros((len(self.kinds), *size), np.float32), []
        for mask in self._pairs[file_of(name)]:
            try:
                codes, lossy = self._codes(mask, page_of(name))
            except Unreadable as error:
                raise type(error)(f"its mask {mask!r:.200}: {error}") from None
            check_size(name, size, f"its mask {mask!r:.200}", codes.shape)
            kinds, between = self._chosen.of(codes)
            for index in range(len(self.kinds)):
                planes[index][kinds == index] = 1
            marks += [BETWEEN] * between + [LOSSY] * lossy
            marks += [IGNORED] * (self._ignore is not None and bool((codes == self._ignore).any()))
        return planes, marks


class AlphaMasks:
    """The transparency of the images, 0 where they are transparent."""

    kinds: tuple[str, ...] = (ONLY,)

    def __init__(self, source: Source, preparation: Preparation):
        self._source, self._preparation = source, preparation
        self.notes = ["masks: the images' transparency"]

    def shares(self, name: str, size: tuple[int, int]) -> tuple[NDArray[np.float32], list[str]]:
        with open_picture(self._source, name) as (stream, picture):
            image = open_image(stream, picture, self._preparation, alpha=True)
        if image.info.get(OPAQUE):  # of an image, where nothing is to be seen of it otherwise; a mask marks nothing
            return np.zeros((1, *size), np.float32), []
        if image.mode != "RGBA":
            return np.ones((1, *size), np.float32), []
        return np.asarray(image.getchannel("A"), np.float32)[None] / np.float32(255), []


def check_size(name: str, size: tuple[int, int], what: str, found: tuple[int, ...]) -> None:
    """Raises UserError where a mask is of another size than its image."""
    if found != size:
        raise MaskError(
            f"`masks`: {name!r:.200} is {size[0]}x{size[1]} (height x width), {what} is {found[0]}x{found[1]}: "
            "both must be of one size"
        )


def _files_text(pairs: Mapping[str, Sequence[str]]) -> str:
    files = len({mask for masks in pairs.values() for mask in masks})
    without = sum(not masks for masks in pairs.values())
    return f"{files} files for {len(pairs)} images" + (f", {without} of which have none" if without else "")
