"""Finding the images of a set that are masks of others (they say what a pixel of an image shows) or thumbnails."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .splits import is_split

WORDS = r"(?:ground[ _-]?truth|gt|masks?|seg|segmentations?|labels?|annotations?|thumb(?:nail)?s?)"
BESIDE = re.compile(rf"(.+?)[ _.-]+{WORDS}(?:[ _-]?\d+)?", re.IGNORECASE | re.DOTALL)
# folders; those of the first are hardly ever classes, the others may be ("mask" of photographs of faces)
PLAIN = re.compile(r"ground[ _-]?truths?|masks|segmentation(class|object|s)?|annotations?|labels", re.IGNORECASE)
DOUBTFUL = re.compile(r"gts?|mask|seg|label|thumb(nail)?s?", re.IGNORECASE)
IMAGES = ("images", "image", "imgs", "img", "jpegimages", "input", "inputs", "original", "originals", "photos", "data")


@dataclass(frozen=True)
class _Known:
    """The images outside of mask folders. stems: paths without suffix; by_base: those of each last part; folders: the
    names of the folders in each folder."""

    stems: set[str]
    by_base: dict[str, set[str]]
    folders: dict[str, set[str]]

    def only(self, base: str) -> list[str]:
        """The image with this last part, if there is but one."""
        found = sorted(self.by_base.get(base, ()))
        return found if len(found) == 1 else []


def find_masks(names: Iterable[str]) -> dict[str, str | None]:
    """The masks among the images `names`, each with the path without suffix of its image, None where there is none:
    `X_mask.png` and its like beside an X, and the files of a folder such as `masks` or `ground_truth`, where at least
    half of them have the names of images."""
    names = list(names)
    stems = {stem_of(name) for name in names}
    masks: dict[str, str | None] = {}
    for name in names:
        image = image_stem(stem_of(name))
        if image in stems:
            masks[name] = image
    by_folder: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        parts = name.split("/")
        place = next((at for at, part in enumerate(parts[:-1]) if is_mask_folder(part)), None)
        if place is not None:
            by_folder.setdefault(tuple(parts[: place + 1]), []).append(name)
    outside = {name for name in names if name not in masks} - {name for files in by_folder.values() for name in files}
    # first those that may be classes, whose images the others may hold masks of
    for plain in (False, True):
        known = _known(outside)
        for folder, files in by_folder.items():
            if bool(PLAIN.fullmatch(folder[-1])) != plain:
                continue
            found = {name: images for name in files if (images := _match(folder, name, known))}
            if 2 * len(found) >= len(files):
                masks |= dict.fromkeys(files) | {name: one[0] for name, one in found.items() if len(one) == 1}
            else:
                outside |= {name for name in files if name not in masks}
    return masks


def is_mask_folder(name: str) -> bool:
    """Whether a folder of that name may hold masks or thumbnails, or the boxes of a detector's images."""
    return bool(PLAIN.fullmatch(name) or DOUBTFUL.fullmatch(name))


def _known(names: Iterable[str]) -> _Known:
    known = _Known(set(), {}, {})
    for name in names:
        stem = stem_of(name)
        known.stems.add(stem)
        known.by_base.setdefault(stem.rpartition("/")[2], set()).add(stem)
        parts = name.split("/")[:-1]
        for depth, part in enumerate(parts):
            known.folders.setdefault("/".join(parts[:depth]), set()).add(part)
    return known


def _match(folder: tuple[str, ...], name: str, known: _Known) -> list[str]:
    """The images that have the place of this file: in the folder above, otherwise in one of images or of a split
    beside; of a file that lies in no further folder, where the folder's name says masks, the only one that has its
    name. Paths without suffix. Of several it is the mask of none."""
    own = stem_of(name)
    above = "/".join(folder[:-1])
    siblings = sorted(part for part in known.folders.get(above, ()) if part.lower() in IMAGES or is_split(part))
    for stem in (own, image_stem(own)):
        if stem is None:
            continue
        rest = stem.removeprefix("/".join(folder) + "/")
        direct = "/".join(filter(None, (above, rest)))
        if direct in known.stems:
            return [direct]
        places = ["/".join(filter(None, (above, part, rest))) for part in siblings]
        found = [place for place in places if place in known.stems]
        if not found and PLAIN.fullmatch(folder[-1]) and "/" not in rest:
            found = known.only(rest)
        if found:
            return found
    return []


def image_stem(stem: str) -> str | None:
    """The path "a/X" for "a/X_mask"; None for other names."""
    folder, slash, base = stem.rpartition("/")
    found = BESIDE.fullmatch(base)
    return folder + slash + found[1] if found else None


def stem_of(name: str) -> str:
    """A path without its suffix."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + (base.rpartition(".")[0] or base)
