"""Look at a source before training on it."""

import hashlib
from collections import Counter
from dataclasses import dataclass

from .decode import DEEP_GRAY_MODES, Header, Unreadable, open_image, open_stream, read_header
from .labels import Labelling, read_labels
from .parallel import map_readable
from .progress import Progress
from .sources import open_source, require_images


@dataclass(frozen=True)
class SizeCount:
    height: int
    width: int
    count: int


@dataclass(frozen=True)
class UnreadableFile:
    file: str
    reason: str


@dataclass(frozen=True)
class Inspection:
    """images: how many can be read. classes: readable images of each; None when unlabelled. modes: Pillow's.

    duplicates: groups of files whose decoded pixels are the same. warnings: a line each.
    """

    source: str
    images: int
    classes: dict[str, int] | None
    sizes: list[SizeCount]
    modes: dict[str, int]
    unreadable: list[UnreadableFile]
    duplicates: list[list[str]]
    warnings: list[str]


def inspect_source(source: str, *, use_labels: bool = True, progress: Progress | None = None) -> Inspection:
    """Decode every image of a source and tell what was found. UserError on a bad source or label file."""
    with open_source(source) as opened:
        names = require_images(opened)
        labelling = read_labels(opened) if use_labels else None

        def look(name: str) -> tuple[Header, str]:
            with open_stream(opened, name) as stream:
                header = read_header(stream)
                stream.seek(0)
                image = open_image(stream)
            return header, hashlib.sha256(f"{image.mode} {image.size}".encode() + image.tobytes()).hexdigest()

        headers: dict[str, Header] = {}
        groups: dict[str, list[str]] = {}
        unreadable = []
        for done, (name, found) in enumerate(map_readable(look, names), start=1):
            if isinstance(found, Unreadable):
                unreadable.append(UnreadableFile(name, str(found)))
            else:
                headers[name], digest = found
                groups.setdefault(digest, []).append(name)
            if progress:
                progress(done, len(names))
    duplicates = [group for group in groups.values() if len(group) > 1]
    classes = _count_classes(labelling, headers) if labelling else None
    sizes = Counter((header.height, header.width) for header in headers.values())
    return Inspection(
        source=source,
        images=len(headers),
        classes=classes,
        sizes=[SizeCount(height, width, count) for (height, width), count in sizes.most_common()],
        modes=dict(Counter(header.mode for header in headers.values()).most_common()),
        unreadable=unreadable,
        duplicates=duplicates,
        warnings=[
            *_class_warnings(classes or {}),
            *_image_warnings(headers, len(sizes), len(unreadable)),
            *_duplicate_warnings(duplicates, labelling),
        ],
    )


def _count_classes(labelling: Labelling, headers: dict[str, Header]) -> dict[str, int]:
    counts = Counter(labelling.index_of[name] for name in headers)
    return {label: counts[index] for index, label in enumerate(labelling.classes)}


def _class_warnings(classes: dict[str, int]) -> list[str]:
    words = {0: "no readable image", 1: "only one readable image"}
    return [f"class {label!r} has {words[count]}" for label, count in classes.items() if count in words]


def _image_warnings(headers: dict[str, Header], sizes: int, unreadable: int) -> list[str]:
    warnings = []
    if unreadable:
        warnings.append(f"{unreadable} files cannot be read and would be skipped")
    if sizes > 1:
        least = min(min(header.height, header.width) for header in headers.values())
        warnings.append(f"the images have {sizes} sizes: training needs `size`, at most {least}")
    gray = sum(header.gray for header in headers.values())
    if 0 < gray < len(headers):
        warnings.append(f"{gray} images are gray and {len(headers) - gray} in colour: all would be taken as colour")
    deep = sum(header.mode in DEEP_GRAY_MODES for header in headers.values())
    if deep:
        warnings.append(f"{deep} images have 16 bits: they would be scaled to 8 bits over the whole range 0 to 65535")
    frames = sum(header.frames > 1 for header in headers.values())
    if frames:
        warnings.append(f"{frames} files hold several pictures: the first of each would be taken")
    return warnings


def _duplicate_warnings(duplicates: list[list[str]], labelling: Labelling | None) -> list[str]:
    warnings = []
    if duplicates:
        extra = sum(len(group) - 1 for group in duplicates)
        warnings.append(f"{extra} images are exact copies of others")
    if labelling:
        across = [group for group in duplicates if len({labelling.index_of[name] for name in group}) > 1]
        if across:
            warnings.append(f"{len(across)} images are in more than one class (first: {across[0][0]!r})")
    return warnings
