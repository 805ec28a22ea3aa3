"""Decode a source once, into the cache."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config_data import BORDERS
from ..errors import UserError
from ..pixels import to_window
from .cache import Meta, write_cache
from .decode import Header, Unreadable, open_image, open_stream, read_header, refusal, to_array
from .deep import fitted, open_values
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
    deep: bool  # more than 8 bits are kept


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
    window = (options.window or _range_of(source, plan)) if plan.deep else None

    def describe(pixel_digest: str) -> Meta:
        _require_some(source, kept, plan.skipped)
        if plan.labelling:
            require_two_each(kept, plan.labelling)
        return _describe(plan, kept, options, window, pixel_digest)

    images = _decoded(source, plan, options, window, kept, progress)
    write_cache(key, len(plan.names), plan.image_shape, images, describe, plan.deep)


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
    deep = _is_deep(headers, options)
    for name in list(headers):
        reason = None if deep else refusal(headers[name].mode)
        if reason is not None:
            skipped[name] = reason
            del headers[name]
    _require_some(source, headers, skipped)
    if labelling:
        require_two_each(list(headers), labelling)
    if deep and options.background not in (*BORDERS, "black", "white"):
        raise UserError(f"`background` {options.background}: with more than 8 bits give black, white, edge or reflect")
    channels = options.channels or (1 if all(header.gray for header in headers.values()) else 3)
    shape = channels, *_resolve_size(options, headers)
    return Plan(list(headers), skipped, labelling, shape, deep)


def _is_deep(headers: Mapping[str, Header], options: Options) -> bool:
    """Whether more than 8 bits are kept. UserError if that is asked for, and some images have no more."""
    if options.channels == 4 and options.deep is not False:
        if headers and all(header.deep for header in headers.values()):
            raise UserError(
                "`channels` rgba: of images with more than 8 bits transparency is not kept, give gray or rgb"
            )
        return False
    shallow = [name for name, header in headers.items() if not header.deep]
    if options.deep is None and options.window is None:
        return not shallow and bool(headers)
    if options.deep is False:
        return False
    if shallow:
        raise UserError(
            f"`window`: {len(shallow)} images have 8 bits (first: {shallow[0]!r}), where it is for more: "
            "leave it out, or remove them"
        )
    return True


def _range_of(source: Source, plan: Plan) -> tuple[float, float]:
    """The lowest and the highest value of all images."""

    def range_of(name: str) -> tuple[float, float]:
        with open_stream(source, name) as stream:
            values = open_values(stream)
        return float(values.min()), float(values.max())

    ranges = [found for _, found in map_readable(range_of, plan.names) if not isinstance(found, Unreadable)]
    if not ranges:
        return 0.0, 1.0
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return low, max(high, low + 1)


def _decoded(
    source: Source,
    plan: Plan,
    options: Options,
    window: tuple[float, float] | None,
    kept: list[str],
    progress: Progress | None,
) -> Iterator[np.ndarray]:
    """uint8 [C, H, W], or with a window uint16 levels, of each image that can be read, its name added to `kept`; the
    others go to `plan.skipped`."""
    channels, height, width = plan.image_shape
    fit, background = options.fit, options.background

    def pixels_of(name: str) -> np.ndarray:
        with open_stream(source, name) as stream:
            if window is not None:
                values = open_values(stream, background)
                return to_window(fitted(values, height, width, channels, fit, background, window), window)
            image = open_image(stream, background, alpha=channels == 4)
        return to_array(image, height=height, width=width, channels=channels, fit=fit, background=background)

    for done, (name, pixels) in enumerate(map_readable(pixels_of, plan.names), start=1):
        if isinstance(pixels, Unreadable):
            plan.skipped[name] = str(pixels)
        else:
            kept.append(name)
            yield pixels
        if progress:
            progress(done, len(plan.names))


def _resolve_size(options: Options, headers: dict[str, Header]) -> tuple[int, int]:
    """(height, width) of the packed images. UserError if no size is given and they differ, or if one is smaller: only
    padding makes do with that."""
    size = options.size
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
    if options.fit == "pad":
        return size
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


def _describe(
    plan: Plan, kept: list[str], options: Options, window: tuple[float, float] | None, pixel_digest: str
) -> Meta:
    labelling = plan.labelling
    labels = [labelling.index_of[name] for name in kept] if labelling else None
    classes = labelling.classes if labelling else ()
    group_of = labelling.groups if labelling else None
    groups = [group_of[name] for name in kept] if group_of else None
    told: list[Any] = [pixel_digest, plan.image_shape, options.fit, labels, classes, kept]
    if groups:  # which decide what is held out
        told.append(groups)
    if window is not None:
        told.append(window)
    return Meta(
        labels=labels,
        classes=classes,
        names=tuple(kept),
        skipped=tuple(sorted(plan.skipped.items())),
        fingerprint=hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        groups=None if groups is None else tuple(groups),
        window=window,
    )
