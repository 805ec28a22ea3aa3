"""Decode a source once, into the cache."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..config_data import AUTO, BORDERS
from ..errors import UserError
from ..pixels import to_window
from .cache import Meta, write_cache
from .conversions import conversions
from .decode import Header, Unreadable, open_image, open_stream, read_header, refusal, to_array
from .deep import fitted, open_values
from .labels import Labelling, read_labels, require_two_each
from .options import Options
from .parallel import map_readable
from .pictures_of_files import file_of, page_of, picture_names
from .progress import Progress
from .sizes import resolve_size, too_small
from .sources import Source, require_images


@dataclass(frozen=True)
class Plan:
    """What the headers tell, before any pixel is decoded. names: of the images that seem readable."""

    names: list[str]
    skipped: dict[str, str]  # name -> reason
    labelling: Labelling | None
    image_shape: tuple[int, int, int]  # (C, H, W)
    deep: bool  # more than 8 bits are kept
    headers: dict[str, Header]
    why_size: str | None


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
    skipped: dict[str, str] = {}
    headers = _headers(source, names, skipped)
    if options.pages == "all":
        headers = _with_pages(source, headers, skipped)
        labelling = _of_pictures(labelling, headers) if labelling else None
    deep = _is_deep(headers, options)
    _leave_out(headers, skipped, {} if deep else {name: refusal(header.mode) for name, header in headers.items()})
    _require_some(source, headers, skipped)
    if deep and options.background not in (*BORDERS, "black", "white"):
        raise UserError(f"`background` {options.background}: with more than 8 bits give black, white, edge or reflect")
    channels = options.channels or (1 if all(header.gray for header in headers.values()) else 3)
    height, width, why_size = resolve_size(options, headers)
    if options.size == AUTO and options.fit != "pad":
        _leave_out(headers, skipped, too_small(headers, height, width))
    if labelling:
        require_two_each(list(headers), labelling)
    return Plan(list(headers), skipped, labelling, (channels, height, width), deep, headers, why_size)


def _headers(source: Source, names: Sequence[str], skipped: dict[str, str]) -> dict[str, Header]:
    """By picture; those that cannot be read go to `skipped`."""

    def header_of(name: str) -> Header:
        with open_stream(source, file_of(name)) as stream:
            return read_header(stream, page_of(name))

    found: dict[str, Header] = {}
    for name, header in map_readable(header_of, names):
        if isinstance(header, Unreadable):
            skipped[name] = str(header)
        else:
            found[name] = header
    return found


def _leave_out(headers: dict[str, Header], skipped: dict[str, str], reasons: Mapping[str, str | None]) -> None:
    """Moves those that there is a reason against."""
    for name, reason in reasons.items():
        if reason is not None:
            skipped[name] = reason
            del headers[name]


def _with_pages(source: Source, headers: Mapping[str, Header], skipped: dict[str, str]) -> dict[str, Header]:
    """Those of all pictures, of each file that holds several."""

    several = {name: header.frames for name, header in headers.items() if header.frames > 1}
    pages = [page for name, count in several.items() for page in picture_names(name, count)]
    single = {name: header for name, header in headers.items() if name not in several}
    return dict(sorted((single | _headers(source, pages, skipped)).items()))


def _of_pictures(labelling: Labelling, names: Iterable[str]) -> Labelling:
    """The same, in which a picture has the label of its file."""
    index_of = {name: labelling.index_of[file_of(name)] for name in names}
    return replace(labelling, index_of={**labelling.index_of, **index_of})


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
        with open_stream(source, file_of(name)) as stream:
            values = open_values(stream, page=page_of(name))
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
        with open_stream(source, file_of(name)) as stream:
            if window is not None:
                values = open_values(stream, background, page_of(name))
                return to_window(fitted(values, height, width, channels, fit, background, window), window)
            image = open_image(stream, background, alpha=channels == 4, page=page_of(name))
        return to_array(image, height=height, width=width, channels=channels, fit=fit, background=background)

    for done, (name, pixels) in enumerate(map_readable(pixels_of, plan.names), start=1):
        if isinstance(pixels, Unreadable):
            plan.skipped[name] = str(pixels)
        else:
            kept.append(name)
            yield pixels
        if progress:
            progress(done, len(plan.names))


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
    groups = [group_of[file_of(name)] for name in kept] if group_of else None
    if groups is None and any(file_of(name) != name for name in kept):
        groups = [file_of(name) for name in kept]  # pages of one scan belong together
    done = conversions(plan.headers, kept, plan.image_shape[0], options, plan.deep)
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
        notes=tuple(line for line in (plan.why_size, done) if line is not None),
    )
