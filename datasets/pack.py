"""Decode a source once, into the cache."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from .cache import Meta, write_cache
from .decode import Header, Unreadable, open_image, open_stream, read_header, to_array
from .labels import Labelling, read_labels, require_two_each
from .options import Options
from .parallel import map_readable
from .progress import Progress
from .sources import Source, require_images


@dataclass(frozen=True)
class Plan:
    """What the headers tell, before any pixel is decoded. names: of the images that seem readable."""

    names: list[str]
    skipped: dict[str, str]  # name -> reason
    labelling: Labelling | None
    image_shape: tuple[int, int, int]  # (C, H, W)


def pack(
    source: Source,
    options: Options,
    key: str,
    check_shape: Callable[[int, int], object] | None,
    progress: Progress | None,
) -> None:
    """Write the cache entry `key` of a source. UserError if its images, labels and options do not go together."""
    plan = _plan(source, options)
    if check_shape is not None:
        check_shape(*plan.image_shape[1:])
    kept: list[str] = []

    def describe(pixel_digest: str) -> Meta:
        _require_some(source, kept, plan.skipped)
        if plan.labelling:
            require_two_each(kept, plan.labelling)
        return _describe(plan, kept, options, pixel_digest)

    write_cache(key, len(plan.names), plan.image_shape, _decoded(source, plan, options, kept, progress), describe)


def _plan(source: Source, options: Options) -> Plan:
    names = require_images(source)
    labelling = read_labels(source) if options.use_labels else None
    headers: dict[str, Header] = {}
    skipped: dict[str, str] = {}

    def header_of(name: str) -> Header:
        with open_stream(source, name) as stream:
            return read_header(stream)

    for name, header in map_readable(header_of, names):
        if isinstance(header, Unreadable):
            skipped[name] = str(header)
        else:
            headers[name] = header
    _require_some(source, headers, skipped)
    if labelling:
        require_two_each(list(headers), labelling)
    channels = options.channels or (1 if all(header.gray for header in headers.values()) else 3)
    return Plan(list(headers), skipped, labelling, (channels, *_resolve_size(options.size, headers)))


def _decoded(
    source: Source, plan: Plan, options: Options, kept: list[str], progress: Progress | None
) -> Iterator[np.ndarray]:
    """uint8 [C, H, W] of each image that can be read, its name added to `kept`; the others go to `plan.skipped`."""
    channels, height, width = plan.image_shape

    def pixels_of(name: str) -> np.ndarray:
        with open_stream(source, name) as stream:
            image = open_image(stream)
        return to_array(image, height=height, width=width, channels=channels, fit=options.fit)

    for done, (name, pixels) in enumerate(map_readable(pixels_of, plan.names), start=1):
        if isinstance(pixels, Unreadable):
            plan.skipped[name] = str(pixels)
        else:
            kept.append(name)
            yield pixels
        if progress:
            progress(done, len(plan.names))


def _resolve_size(size: tuple[int, int] | None, headers: dict[str, Header]) -> tuple[int, int]:
    """(height, width) of the packed images. UserError if one is smaller, or if no size is given and they differ."""
    least_height = min(header.height for header in headers.values())
    least_width = min(header.width for header in headers.values())
    if size is None:
        first, header = next(iter(headers.items()))
        for name, other in headers.items():
            if (other.height, other.width) != (header.height, header.width):
                raise UserError(
                    f"the images differ in size ({first!r} is {header.height}x{header.width}, {name!r} is "
                    f"{other.height}x{other.width}, height x width): "
                    f"give `size`, at most {min(least_height, least_width)}"
                )
        return header.height, header.width
    height, width = size
    small = [name for name, header in headers.items() if header.height < height or header.width < width]
    if small:
        header = headers[small[0]]
        most = min(least_height, least_width) if height == width else f"{least_height}x{least_width}"
        raise UserError(
            f"{len(small)} images are smaller than {height}x{width} (first: {small[0]!r} is "
            f"{header.height}x{header.width}, height x width): give `size` {most} or less, or remove them"
        )
    return size


def _require_some(source: Source, readable: Iterable[str], skipped: dict[str, str]) -> None:
    if not any(True for _ in readable):
        name, reason = next(iter(sorted(skipped.items())))
        raise UserError(
            f"none of the {len(skipped)} image files in {source.place!r} can be read (first: {name!r}: {reason}): "
            "save them again as PNG or JPEG"
        )


def _describe(plan: Plan, kept: list[str], options: Options, pixel_digest: str) -> Meta:
    labelling = plan.labelling
    labels = [labelling.index_of[name] for name in kept] if labelling else None
    classes = labelling.classes if labelling else ()
    group_of = labelling.groups if labelling else None
    groups = [group_of[name] for name in kept] if group_of else None
    told = [pixel_digest, plan.image_shape, options.fit, labels, classes, kept]
    if groups:  # which decide what is held out
        told.append(groups)
    return Meta(
        labels=labels,
        classes=classes,
        names=tuple(kept),
        skipped=tuple(sorted(plan.skipped.items())),
        fingerprint=hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        groups=None if groups is None else tuple(groups),
    )
