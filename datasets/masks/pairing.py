"""Which masks go with which image, by their names."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from ...config.masks import REFUSED
from ...errors import UserError
from ..labels.masks import image_stem, stem_of

T = TypeVar("T")
NO_MASK = "add them, or give `unmasked` background if these images show nothing to mark"


class NoMasks(UserError):
    """A set has none, where `masks` asks for them."""


def masks_beside(names: Sequence[str], masks: Mapping[str, str | None], unmasked: str) -> dict[str, list[str]]:
    """The masks of each of the images `names` among those that lie beside (`ChosenImages.masks`). UserError where there
    are none, or where images have none that must."""
    shown = {name: image for name, image in masks.items() if not _is_thumbnail(name)}
    if not shown:
        raise NoMasks(
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
    """The masks of each of the images `names` in a folder of masks: those of the same path below it, with the same name
    or with a word such as `_mask` behind it; where images or masks lie in no folder, those whose name only one image
    has. top, mask_top: the folders in their sources that names begin at."""
    by_stem: dict[str, list[str]] = {}
    by_base: dict[str, list[str]] = {}
    for mask in sorted(masks):
        own = stem_of(mask_top + mask)
        for stem in {own, image_stem(own)} - {None}:
            for part in _ends(str(stem)):
                by_stem.setdefault(part, []).append(mask)
            by_base.setdefault(PurePosixPath(str(stem)).name, []).append(mask)
    bases = Counter(PurePosixPath(stem_of(name)).name for name in names)
    found = {}
    for name in names:
        base = PurePosixPath(stem_of(name)).name
        same = next((by_stem[part] for part in _ends(stem_of(top + name)) if "/" in part and part in by_stem), None)
        if same is None and bases[base] == 1:
            same = [mask for mask in by_base.get(base, []) if "/" not in name or "/" not in mask]
        found[name] = same or []
    return complete(found, unmasked)


def _ends(stem: str) -> list[str]:
    """ "a/b/c" -> ["a/b/c", "b/c", "c"]"""
    parts = stem.split("/")
    return ["/".join(parts[first:]) for first in range(len(parts))]


def _is_thumbnail(name: str) -> bool:
    return "thumb" in name.lower()


def complete(found: dict[str, T], unmasked: str) -> dict[str, T]:
    """What was found for each image, as it is. UserError where nothing was found for any, or for one that must have a
    mask."""
    missing = [name for name, masks in found.items() if masks is None or masks == []]
    if len(missing) == len(found):
        raise NoMasks(f"`masks`: none of them goes with an image (such as {missing[0]!r:.200}): give them their names")
    if missing and unmasked == REFUSED:
        one = len(missing) == 1
        raise UserError(
            f"`masks`: {len(missing)} of {len(found)} images {'has' if one else 'have'} no mask "
            f"(first: {missing[0]!r:.200}): {NO_MASK}"
        )
    return found
