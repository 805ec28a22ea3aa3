"""Finding the images of a set that are masks of others (they say what a pixel of an image shows) or thumbnails."""

import re
from collections import Counter
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
    """The images outside of mask folders. stems: paths without suffix; bases: how often a last part of them occurs;
    folders: the names of the folders in each folder."""

    stems: set[str]
    bases: Counter[str]
    folders: dict[str, set[str]]


def find_masks(names: Iterable[str]) -> set[str]:
    """The masks among the images `names`: `X_mask.png` and its like beside an X, and the files of a folder such as
    `masks` or `ground_truth`, where at least half of them have the names of images."""
    names = list(names)
    stems = {_stem(name) for name in names}
    masks = {name for name in names if (image := _image_of(_stem(name))) is not None and image in stems}
    by_folder: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        parts = name.split("/")
        place = next((at for at, part in enumerate(parts[:-1]) if is_mask_folder(part)), None)
        if place is not None:
            by_folder.setdefault(tuple(parts[: place + 1]), []).append(name)
    inside = {name for files in by_folder.values() for name in files}
    known = _known(name for name in names if name not in inside and name not in masks)
    for folder, files in by_folder.items():
        if 2 * sum(_matches(folder, name, known) for name in files) >= len(files):
            masks.update(files)
    return masks


def is_mask_folder(name: str) -> bool:
    """Whether a folder of that name may hold masks or thumbnails, or the boxes of a detector's images."""
    return bool(PLAIN.fullmatch(name) or DOUBTFUL.fullmatch(name))


def _known(names: Iterable[str]) -> _Known:
    known = _Known(set(), Counter(), {})
    for name in names:
        stem = _stem(name)
        known.stems.add(stem)
        known.bases[stem.rpartition("/")[2]] += 1
        parts = name.split("/")[:-1]
        for depth, part in enumerate(parts):
            known.folders.setdefault("/".join(parts[:depth]), set()).add(part)
    return known


def _matches(folder: tuple[str, ...], name: str, known: _Known) -> bool:
    """Whether an image has the place of this file, in the folder above, or in one of images or of a split beside; of
    a folder whose name says it, whether but one image has its name."""
    own = _stem(name)
    above = "/".join(folder[:-1])
    siblings = [part for part in known.folders.get(above, ()) if part.lower() in IMAGES or is_split(part)]
    for stem in (own, _image_of(own)):
        if stem is None:
            continue
        rest = stem.removeprefix("/".join(folder) + "/")
        places = ["/".join(filter(None, (above, part, rest))) for part in ("", *siblings)]
        if not known.stems.isdisjoint(places):
            return True
        if PLAIN.fullmatch(folder[-1]) and known.bases[stem.rpartition("/")[2]] == 1:
            return True
    return False


def _image_of(stem: str) -> str | None:
    """The path "a/X" for "a/X_mask"; None for other names."""
    folder, slash, base = stem.rpartition("/")
    found = BESIDE.fullmatch(base)
    return folder + slash + found[1] if found else None


def _stem(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return folder + slash + (base.rpartition(".")[0] or base)
