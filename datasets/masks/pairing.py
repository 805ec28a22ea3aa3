"""Which masks go with which image, by their names."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from ...config.masks import REFUSED
from ..labels.masks import image_stem, is_mask_folder, stem_of
from .errors import MaskError

T = TypeVar("T")
THUMBNAIL = re.compile(r"[ _.-]thumb(nail)?s?\d*$")
NO_MASK = "add them, or give `unmasked` background if these images show nothing to mark"


def masks_beside(names: Sequence[str], masks: Mapping[str, str | None], unmasked: str) -> dict[str, list[str]]:
    """The masks of each of the images `names` among those that lie beside (`ChosenImages.masks`). UserError where there
    are none, or where images have none that must."""
    shown = {name: image for name, image in masks.items() if not _is_thumbnail(name)}
    if not shown:
        raise MaskError(
            "`masks` auto: there are none beside the images (X_mask.png beside X, or a folder masks beside images): "
            "name their folder"
        )
    by_image: dict[str, list[str]] = {}
    for name, image in sorted(shown.items()):
        if image is not None:
            by_image.setdefault(image, []).append(name)
    return complete({name: by_image.get(stem_of(name), []) for name in names}, unmasked)


def masks_in_folder(
    names: Sequence[str], top: str, masks: Iterable[str], mask_top: str, unmasked: str
) -> dict[str, list[str]]:
    """The masks of each of the images `names` in a folder of masks: those whose path ends as the image's does, by a
    folder and the name at least, or by the name with a word such as `_mask` behind it; where images or masks lie in no
    folder, those whose name only one image has. top, mask_top: the folders in their sources that names begin at."""
    by_end: dict[str, list[str]] = {}
    by_base: dict[str, list[str]] = {}
    for mask in sorted(masks):
        own = stem_of(mask_top + mask)
        for stem in {own, image_stem(own)} - {None}:
            for end in ends_of(str(stem)):
                by_end.setdefault(end, []).append(mask)
            by_base.setdefault(PurePosixPath(str(stem)).name, []).append(mask)
    bases = Counter(PurePosixPath(stem_of(name)).name for name in names)
    found: dict[str, tuple[int, list[str]]] = {}
    for name in names:
        base = PurePosixPath(stem_of(name)).name
        longest = next((end for end in ends_of(stem_of(top + name)) if "/" in end and end in by_end), None)
        if longest is not None:
            found[name] = longest.count("/"), by_end[longest]
        else:
            alone = by_base.get(base, []) if bases[base] == 1 else []
            found[name] = 0, [mask for mask in alone if "/" not in name or "/" not in mask]
    return complete(_of_one_image(found), unmasked)


def _of_one_image(found: Mapping[str, tuple[int, list[str]]]) -> dict[str, list[str]]:
    """The masks of each image, of which none is another's: of several images a mask is that of the one whose path it
    shares the most folders with, and of none where that is not one. found: the shared folders, and the masks."""
    images: dict[str, list[tuple[int, str]]] = {}
    for name, (shared, masks) in found.items():
        for mask in masks:
            images.setdefault(mask, []).append((shared, name))
    owner: dict[str, str | None] = {}
    for mask, rivals in images.items():
        most = max(shared for shared, _ in rivals)
        best = [name for shared, name in rivals if shared == most]
        owner[mask] = best[0] if len(best) == 1 else None
    return {name: [mask for mask in masks if owner[mask] == name] for name, (_, masks) in found.items()}


def ends_of(stem: str) -> list[str]:
    """ "a/b/c" -> ["a/b/c", "b/c", "c"]"""
    parts = stem.split("/")
    return ["/".join(parts[first:]) for first in range(len(parts))]


def _is_thumbnail(name: str) -> bool:
    """By the word behind its name, or by the folder of masks in which it lies; others may be classes."""
    *folders, base = stem_of(name).lower().split("/")
    return bool(THUMBNAIL.search(base)) or "thumb" in next(filter(is_mask_folder, folders), "")


def complete(found: dict[str, T], unmasked: str) -> dict[str, T]:
    """What was found for each image, as it is. UserError where nothing was found for any, or for one that must have a
    mask."""
    missing = [name for name, masks in found.items() if masks is None or masks == []]
    if len(missing) == len(found):
        raise MaskError(
            f"`masks`: none of them goes with an image (such as {missing[0]!r:.200}): give them their names"
        )
    if missing and unmasked == REFUSED:
        one = len(missing) == 1
        raise MaskError(
            f"`masks`: {len(missing)} of {len(found)} images {'has' if one else 'have'} no mask "
            f"(first: {missing[0]!r:.200}): {NO_MASK}"
        )
    return found
