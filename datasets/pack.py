"""Decode a source once, into the cache."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UserError
from ..pixels import to_window
from ..preparation import AUTO, BORDERS, Preparation
from .cache import Meta, write_cache
from .conversions import conversions
from .decode import Header, Unreadable, refusal, to_array
from .deep import fitted
from .labels import Labelling, require_two_each
from .opening import open_image, open_picture, open_values, read_headers
from .parallel import map_readable
from .pictures_of_files import file_of
from .progress import Progress
from .sizes import resolve_size, too_small
from .sources import Source
from .taken import take


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
    voi: tuple[float, float] | None  # the window that all images ask for
    notes: Sequence[str]  # on what was left out


def pack(
    source: Source,
    preparation: Preparation,
    key: str,
    check_shape: Callable[[int, int], object] | None,
    progress: Progress | None,
) -> None:
    """Write the cache entry `key` of a source. UserError if its images, labels and options do not go together."""
    plan = _plan(source, preparation)
    if check_shape is not None:
        check_shape(*plan.image_shape[1:])
    kept: list[str] = []
    window, window_from = _window(source, plan, preparation) if plan.deep else (None, None)

    def describe(pixel_digest: str) -> Meta:
        _require_some(source, kept, plan.skipped)
        if plan.labelling:
            require_two_each(kept, plan.labelling)
        return _describe(plan, kept, preparation, window, window_from, pixel_digest)

    images = _decoded(source, plan, preparation, window, kept, progress)
    write_cache(key, len(plan.names), plan.image_shape, images, describe, plan.deep)


def _plan(source: Source, preparation: Preparation) -> Plan:
    taken = take(source, use_labels=preparation.use_labels, split=preparation.split)
    headers, skipped = read_headers(taken.source, preparation.pages)
    labelling = taken.labelling and taken.labelling.of_pictures({name: file_of(name) for name in headers})
    deep = _is_deep(headers, preparation)
    _leave_out(headers, skipped, {} if deep else {name: refusal(header.mode) for name, header in headers.items()})
    _require_some(source, headers, skipped)
    if deep and preparation.background not in (*BORDERS, "black", "white"):
        raise UserError(
            f"`background` {preparation.background}: with more than 8 bits give black, white, edge or reflect"
        )
    channels = preparation.channels or (1 if all(header.gray for header in headers.values()) else 3)
    height, width, why_size = resolve_size(preparation, headers)
    if preparation.size == AUTO and preparation.fit != "pad":
        _leave_out(headers, skipped, too_small(headers, height, width))
    if labelling:
        require_two_each(list(headers), labelling)
    windows = {header.voi for header in headers.values()}
    return Plan(
        names=list(headers),
        skipped=skipped,
        labelling=labelling,
        image_shape=(channels, height, width),
        deep=deep,
        headers=headers,
        why_size=why_size,
        voi=windows.pop() if len(windows) == 1 else None,
        notes=taken.notes,
    )


def _leave_out(headers: dict[str, Header], skipped: dict[str, str], reasons: Mapping[str, str | None]) -> None:
    """Moves those that there is a reason against."""
    for name, reason in reasons.items():
        if reason is not None:
            skipped[name] = reason
            del headers[name]


def _is_deep(headers: Mapping[str, Header], preparation: Preparation) -> bool:
    """Whether more than 8 bits are kept. UserError if that is asked for, and some images have no more."""
    if preparation.channels == 4 and preparation.deep is not False:
        if headers and all(header.deep for header in headers.values()):
            raise UserError(
                "`channels` rgba: of images with more than 8 bits transparency is not kept, give gray or rgb"
            )
        return False
    shallow = [name for name, header in headers.items() if not header.deep]
    if preparation.deep is None and preparation.window is None:
        return not shallow and bool(headers)
    if preparation.deep is False:
        return False
    if shallow:
        raise UserError(
            f"`window`: {len(shallow)} images have 8 bits (first: {shallow[0]!r}), where it is for more: "
            "leave it out, or remove them"
        )
    return True


def _window(source: Source, plan: Plan, preparation: Preparation) -> tuple[tuple[float, float], str]:
    """(low, high), and words on where they are from."""
    if preparation.window:
        return preparation.window, "`window`"
    if plan.voi:
        return plan.voi, "the VOI window that all files carry"
    return _range_of(source, plan), "the lowest and the highest value of all images"


def _range_of(source: Source, plan: Plan) -> tuple[float, float]:
    """The lowest and the highest value of all images."""

    def range_of(name: str) -> tuple[float, float]:
        with open_picture(source, name) as (stream, picture):
            values = open_values(stream, picture)
        return float(values.min()), float(values.max())

    ranges = [found for _, found in map_readable(range_of, plan.names) if not isinstance(found, Unreadable)]
    if not ranges:
        return 0.0, 1.0
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return low, max(high, low + 1)


def _decoded(
    source: Source,
    plan: Plan,
    preparation: Preparation,
    window: tuple[float, float] | None,
    kept: list[str],
    progress: Progress | None,
) -> Iterator[np.ndarray]:
    """uint8 [C, H, W], or with a window uint16 levels, of each image that can be read, its name added to `kept`; the
    others go to `plan.skipped`."""
    channels, height, width = plan.image_shape
    fit, background = preparation.fit, preparation.background

    def pixels_of(name: str) -> np.ndarray:
        with open_picture(source, name) as (stream, picture):
            if window is not None:
                values = open_values(stream, picture, background)
                return to_window(fitted(values, height, width, channels, fit, background, window), window)
            image = open_image(stream, picture, background, alpha=channels == 4)
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
    plan: Plan,
    kept: list[str],
    preparation: Preparation,
    window: tuple[float, float] | None,
    window_from: str | None,
    pixel_digest: str,
) -> Meta:
    labelling = plan.labelling
    labels = [labelling.index_of[name] for name in kept] if labelling else None
    classes = labelling.classes if labelling else ()
    group_of = labelling.groups if labelling else None
    groups = [group_of[name] for name in kept] if group_of else _groups_of_files(plan.names, kept)
    done = conversions(plan.headers, kept, plan.image_shape[0], preparation, plan.deep)
    told: list[Any] = [pixel_digest, plan.image_shape, preparation.fit, labels, classes, kept]
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
        notes=tuple(line for line in (*plan.notes, plan.why_size, done) if line is not None),
        window_from=window_from,
    )


def _groups_of_files(names: list[str], kept: list[str]) -> list[str] | None:
    """The file of each image, where a file holds several; None where none does."""
    return [file_of(name) for name in kept] if any(file_of(name) != name for name in names) else None
