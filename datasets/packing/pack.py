"""Decode a source once, into the cache."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...config.preparation import AUTO, BORDERS, Preparation
from ...errors import UserError
from ...pixels import to_window
from ...progress import Progress
from ..labels.chosen import choose_images
from ..labels.labelling import Labelling, label_warnings, require_two_each
from ..masks.area import fitted_mask
from ..masks.notes import marks_of_mask, mask_notes
from ..masks.reading import MaskPlace, Masks
from ..reading.bands import require_colors
from ..reading.decode import MISSING, Header, to_array
from ..reading.high_bit_depth import fitted
from ..reading.opening import open_image, open_picture, open_values, read_headers
from ..reading.parallel import map_readable
from ..reading.picture_names import file_of
from ..reading.sources import Source
from ..reading.unreadable import Unreadable
from .cache import Meta, write_cache
from .notes import conversions, marks_of, pixel_notes
from .sizes import resolve_size, too_small
from .value_range import value_range, values_apart, whole_range, words

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """The facts that the headers give, before any pixel is decoded. names: of the images that seem readable."""

    names: list[str]
    skipped: dict[str, str]  # name -> reason
    labelling: Labelling | None
    groups: Mapping[str, str] | None  # of files
    image_shape: tuple[int, int, int]  # (C, H, W)
    beyond_8_bits: bool  # more than 8 bits are kept
    headers: dict[str, Header]
    why_size: str | None
    voi: tuple[float, float] | None  # the window that all images ask for
    masks: Masks | None
    notes: Sequence[str]  # on labels, and on what was left out


@dataclass(frozen=True)
class Window:
    """limits: the values that become black and white. origin: where they are from, in words. warning: on values in it
    that stand for nothing measured, perhaps."""

    limits: tuple[float, float]
    origin: str
    warning: str | None = None


def pack(
    source: Source,
    place: MaskPlace,
    preparation: Preparation,
    key: str,
    check_shape: Callable[[int, int], object] | None,
    progress: Progress | None,
) -> None:
    """Write the cache entry `key` of a source with its masks. UserError if its images, labels, masks and options do not
    go together."""
    plan = _plan(source, place, preparation)
    if check_shape is not None:
        check_shape(*plan.image_shape[1:])
    marks: dict[str, list[str]] = {}  # of the images that could be decoded
    window = _window(source, plan, preparation) if plan.beyond_8_bits else None

    def describe(pixel_digest: str, mask_digest: str) -> Meta:
        _require_some(source, marks, plan.skipped)
        if plan.labelling:
            require_two_each(list(marks), plan.labelling)
        return _describe(plan, marks, preparation, window, pixel_digest, mask_digest)

    images = _decoded(source, plan, preparation, window.limits if window else None, marks, progress)
    kinds = len(plan.masks.kinds) if plan.masks else 0
    write_cache(key, len(plan.names), plan.image_shape, images, describe, plan.beyond_8_bits, kinds)


def _plan(source: Source, place: MaskPlace, preparation: Preparation) -> Plan:
    chosen = choose_images(source, preparation)
    masks = place.read(chosen, preparation)
    headers, skipped = read_headers(chosen.source, preparation)
    labelling = chosen.labelling and chosen.labelling.of_pictures({name: file_of(name) for name in headers})
    require_colors({name: header.bands for name, header in headers.items()})
    beyond_8_bits = _keeps_beyond_8_bits(headers, preparation)
    _leave_out(headers, skipped, {} if beyond_8_bits else _reasons_against_8_bits(headers))
    _require_some(source, headers, skipped)
    if beyond_8_bits and preparation.background not in (*BORDERS, "black", "white"):
        raise UserError(
            f"`background` {preparation.background}: with more than 8 bits give black, white, edge or reflect"
        )
    channels = preparation.channels or (1 if all(header.gray for header in headers.values()) else 3)
    height, width, why_size = resolve_size(preparation, headers)
    if preparation.size == AUTO and preparation.fit != "pad":
        _leave_out(headers, skipped, too_small(headers, height, width))
    if labelling:
        labelling = labelling.only(headers) if labelling.attributes else labelling
        require_two_each(list(headers), labelling)
    windows = {header.voi for header in headers.values()}
    return Plan(
        names=list(headers),
        skipped=skipped,
        labelling=labelling,
        groups=chosen.groups,
        image_shape=(channels, height, width),
        beyond_8_bits=beyond_8_bits,
        headers=headers,
        why_size=why_size,
        voi=windows.pop() if len(windows) == 1 else None,
        masks=masks,
        notes=[
            *chosen.notes,
            *(masks.notes if masks else ()),
            *(f"warning: {line}" for line in (*label_warnings(labelling), *chosen.warnings)),
        ],
    )


def _reasons_against_8_bits(headers: Mapping[str, Header]) -> dict[str, str]:
    """The reasons why images cannot be brought to 8 bits, by name."""
    return {
        name: f"{header.why_not_8_bits} (convert to 8 or 16 bits)"
        for name, header in headers.items()
        if header.why_not_8_bits is not None
    }


def _leave_out(headers: dict[str, Header], skipped: dict[str, str], reasons: Mapping[str, str]) -> None:
    """Moves those that there is a reason against."""
    for name, reason in reasons.items():
        skipped[name] = reason
        del headers[name]


def _keeps_beyond_8_bits(headers: Mapping[str, Header], preparation: Preparation) -> bool:
    """Whether more than 8 bits are kept. UserError if that is asked for, and some images have no more."""
    if preparation.channels == 4 and preparation.beyond_8_bits is not False:
        if headers and all(header.beyond_8_bits for header in headers.values()):
            raise UserError(
                "`channels` rgba: of images with more than 8 bits transparency is not kept, give gray or rgb"
            )
        return False
    shallow = [name for name, header in headers.items() if not header.beyond_8_bits]
    if preparation.beyond_8_bits is None and preparation.window is None:
        return not shallow and bool(headers)
    if preparation.beyond_8_bits is False:
        return False
    if shallow:
        raise UserError(
            f"`window`: {len(shallow)} images have 8 bits (first: {shallow[0]!r}), where it is for more: "
            "leave it out, or remove them"
        )
    return True


def _window(source: Source, plan: Plan, preparation: Preparation) -> Window:
    if preparation.window:
        return Window(preparation.window, "`window`")
    if plan.voi:
        return Window(plan.voi, "the VOI window that all files carry")

    def values_of(name: str) -> NDArray[np.float32]:
        with open_picture(source, name) as (stream, picture):
            return open_values(stream, picture, preparation)

    def readable(found: Iterable[tuple[str, T | Unreadable]]) -> Iterator[T]:
        return (value for _, value in found if not isinstance(value, Unreadable))

    ranges = list(readable(map_readable(lambda name: value_range(values_of(name)), plan.names)))
    low, high = whole_range(ranges)
    apart = values_apart(ranges, lambda: readable(map_readable(values_of, plan.names)))
    warning = None if apart is None else f"warning: {words(apart, low, high)}"
    return Window((low, high), "the lowest and the highest value of all images", warning)


def _decoded(
    source: Source,
    plan: Plan,
    preparation: Preparation,
    window: tuple[float, float] | None,
    marks: dict[str, list[str]],
    progress: Progress | None,
) -> Iterator[tuple[np.ndarray, NDArray[np.uint8] | None]]:
    """uint8 [C, H, W], or with a window uint16 levels, of each image that can be read, with its mask [K, H, W] where
    there are masks; what is to be said of it is added to `marks`; the others go to `plan.skipped`."""
    channels, height, width = plan.image_shape
    fit, background = preparation.fit, preparation.background

    def mask_of(name: str) -> tuple[NDArray[np.uint8] | None, list[str]]:
        if plan.masks is None:
            return None, []
        header = plan.headers[name]
        shares, own = plan.masks.shares(name, (header.height, header.width))
        before = bool(shares.any())
        shares = fitted_mask(shares, height, width, fit, background)
        return (shares * 255).round().astype(np.uint8), [*own, *marks_of_mask(shares, before)]

    def pixels_of(name: str) -> tuple[np.ndarray, list[str]]:
        """Returns the pixels of an image, and its marks for `pixel_notes`."""
        with open_picture(source, name) as (stream, picture):
            if window is not None:
                values = open_values(stream, picture, preparation)
                planes = to_window(fitted(values, height, width, channels, fit, background, window), window)
                return planes, [MISSING] if np.isnan(values.min()) else []
            image = open_image(stream, picture, preparation, alpha=channels == 4)
        planes = to_array(image, height=height, width=width, channels=channels, fit=fit, background=background)
        return planes, [str(mark) for mark in image.info]

    def pair_of(name: str) -> tuple[tuple[np.ndarray, list[str]], tuple[NDArray[np.uint8] | None, list[str]]]:
        return pixels_of(name), mask_of(name)

    for done, (name, found) in enumerate(map_readable(pair_of, plan.names), start=1):
        if isinstance(found, Unreadable):
            plan.skipped[name] = str(found)
        else:
            (planes, own), (mask, of_mask) = found
            marks[name] = [*own, *of_mask, *marks_of(planes)]
            yield planes, mask
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
    marks: dict[str, list[str]],
    preparation: Preparation,
    window: Window | None,
    pixel_digest: str,
    mask_digest: str,
) -> Meta:
    kept, labelling = list(marks), plan.labelling
    if labelling and labelling.attributes:  # values whose images cannot be decoded are none
        labelling = labelling.only(kept)
    labels = [labelling.index_of[name] for name in kept] if labelling else None
    classes = labelling.classes if labelling else ()
    groups = [plan.groups[file_of(name)] for name in kept] if plan.groups else _groups_of_files(plan.names, kept)
    done = conversions(plan.headers, kept, plan.image_shape[0], preparation, plan.beyond_8_bits)
    class_of = {name: labelling.class_of(name) for name in kept} if labelling else {}
    lines = [*pixel_notes(marks, plan.image_shape[0], class_of)]
    if plan.masks:
        lines += mask_notes(marks)
    remarks = [f"warning: {line}" for line in lines]
    notes = [*plan.notes, plan.why_size, done, window.warning if window else None, *remarks]
    told: list[Any] = [pixel_digest, plan.image_shape, preparation.fit, labels, classes, kept]
    if groups:  # which decide what is held out
        told.append(groups)
    if window is not None:
        told.append(window.limits)
    attributes = labelling.attributes if labelling else ()
    rows = tuple(labelling.row_of[name] for name in kept) if labelling and attributes else ()
    if attributes:
        told.append([[asdict(one) for one in attributes], rows])
    kinds = plan.masks.kinds if plan.masks else ()
    if kinds:
        told.append([mask_digest, kinds])
    return Meta(
        labels=labels,
        classes=classes,
        names=tuple(kept),
        skipped=tuple(sorted(plan.skipped.items())),
        fingerprint=hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        groups=None if groups is None else tuple(groups),
        window=window.limits if window else None,
        notes=tuple(line for line in notes if line is not None),
        window_from=window.origin if window else None,
        attributes=attributes,
        rows=rows,
        mask_kinds=kinds,
    )


def _groups_of_files(names: list[str], kept: list[str]) -> list[str] | None:
    """The file of each image, where a file holds several; None where none does."""
    return [file_of(name) for name in kept] if any(file_of(name) != name for name in names) else None
