"""The kinds that masks show: chosen by the values that occur, or as asked for; and the kind of each pixel."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...config.masks import COLOR, MOST_KINDS, AskedKind, kind_names, value_text
from .errors import MaskError, NoKinds

ONLY = "mask"  # the name of a kind that is the only one
NOTHING = -1
MANY = 16  # values, more than there are of smoothing alone in a few masks
BINARY_SHARE = 0.95  # of pixels that are nearly black or nearly white: a blurred mask of two values
NEAR = 64  # gray levels
PLENTIFUL = 0.01  # share of all pixels: of a blurred mask a value of its own
INDICES = 64  # masks with no value above it number their kinds, so that no value is a mixture of others
BORDER = 255  # beside such numbers: between objects, as Pascal VOC has it
SMOOTHED_SHARE = 0.5  # of the pixels of rare values that lie so: smoothing has made them all
OVERSHOOT = 16  # gray levels about a value of smoothed masks: bicubic interpolation makes rings
EDGE_SHARE = 0.8  # of a value's pixels that lie between darker and brighter ones: a mixture of these


@dataclass(frozen=True)
class Value:
    """A value of masks: its pixels; those between a darker and a brighter pixel, among their 8 neighbours; and whether
    it fills a square of 2x2 anywhere."""

    pixels: int
    between: int = 0
    fills: bool = False

    def __add__(self, other: "Value") -> "Value":
        return Value(self.pixels + other.pixels, self.between + other.between, self.fills or other.fills)

    @property
    def is_edge(self) -> bool:
        """Whether it occurs along edges alone, as smoothing makes it."""
        return not self.fills and self.between >= EDGE_SHARE * self.pixels


@dataclass(frozen=True)
class Kinds:
    """names: in the order of a mask's channels. levels: the values that pixels are taken for; kind_of: for each of them
    the index of its kind, NOTHING for background; others are taken for the nearest level."""

    names: tuple[str, ...]
    levels: NDArray[np.uint32]
    kind_of: NDArray[np.int8]

    def of(self, codes: NDArray[np.uint32]) -> tuple[NDArray[np.int8], bool]:
        """int8 [H, W], the kind of each pixel; and whether there were values between levels."""
        values, places = np.unique(codes, return_inverse=True)
        nearest = np.abs(_space(values)[:, None] - _space(self.levels)[None]).sum(axis=2).argmin(axis=1)
        between = bool((self.levels[nearest] != values).any())
        return self.kind_of[nearest][places.reshape(codes.shape)], between


def _space(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """[n, 3]: red, green and blue, of gray values three times the same."""
    codes = codes.astype(np.int64)
    colors = np.stack([codes >> 16 & 255, codes >> 8 & 255, codes & 255], axis=1)
    return np.where((codes >= COLOR)[:, None], colors, codes[:, None])


def values_of_mask(codes: NDArray[np.uint32]) -> dict[int, Value]:
    """What is known of each value of a mask [H, W]. Of numbered kinds only how many pixels have it."""
    values, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    if max(values) <= INDICES:
        return {int(value): Value(int(count)) for value, count in zip(values, counts, strict=True)}
    around = np.lib.stride_tricks.sliding_window_view(np.pad(codes, 1, mode="edge"), (3, 3))
    lowest, highest = around.min(axis=(2, 3)), around.max(axis=(2, 3))
    between = (lowest < codes) & (codes < highest)
    corner = codes[:-1, :-1]
    same = (corner == codes[1:, :-1]) & (corner == codes[:-1, 1:]) & (corner == codes[1:, 1:])
    filling = set(np.unique(corner[same]).tolist())
    inside = np.bincount(places.ravel(), weights=between.ravel())
    return {
        int(value): Value(int(count), int(own), int(value) in filling)
        for value, count, own in zip(values, counts, inside, strict=True)
    }


def values_of_masks(each: Iterable[Mapping[int, Value]]) -> dict[int, Value]:
    """The same of all masks together."""
    found: dict[int, Value] = {}
    for one in each:
        for code, value in one.items():
            found[code] = found[code] + value if code in found else value
    return found


def asked_kinds(
    values: Mapping[int, Value], asked: Sequence[AskedKind], ignore: int | None, lossy: bool = False
) -> Kinds:
    """The kinds that `mask_kinds` names. Other values show nothing, but those that blur or smoothing has made, which
    are taken for the nearest. lossy: whether a file is JPEG. UserError for a value that no mask has."""
    names = kind_names(tuple(asked))
    levels: dict[int, int] = {}
    for kind in asked:
        if not isinstance(kind.value, int) or (kind.value not in values and not kind.optional):
            raise NoKinds(
                f"`mask_kinds` {kind.name}={value_text(kind.value)}: no mask has that value, "
                f"there are {_listed(values)}"
            )
        levels[kind.value] = names.index(kind.name)
    return _kinds(names, {**dict.fromkeys((0, *_own(values, ignore, lossy)), NOTHING), **levels}, ignore)


def found_kinds(values: Mapping[int, Value], ignore: int | None, lossy: bool = False) -> Kinds:
    """The kinds by the values that occur: one for each but 0 and what smoothing has made; a single one for masks that
    are black and white up to blur. lossy: whether a file is JPEG. UserError where there are none, or too many."""
    own = sorted(code for code in _own(values, ignore, lossy) if code not in (0, ignore))
    if not any(code not in (0, ignore) for code in values):
        raise MaskError("`masks`: they are empty, all pixels are 0: leave `masks` out")
    if len(values) > MANY and _is_blurred_binary(values):
        own = [255]
    if not 1 <= len(own) <= MOST_KINDS:
        marking = values.keys() - {0}
        raise MaskError(
            f"`masks`: they have {len(marking)} values beside 0 ({_listed(marking)}), where there may be "
            f"{MOST_KINDS} kinds: say with `mask_kinds` which count, as crack=1,dent=2"
        )
    names = (ONLY,) if len(own) == 1 else tuple(map(value_text, own))
    return _kinds(names, {0: NOTHING} | {value: index for index, value in enumerate(own)}, ignore)


def _own(values: Mapping[int, Value], ignore: int | None, lossy: bool) -> list[int]:
    """The values that are no mixture of others."""
    many = len(values) > MANY
    beside = (ignore, BORDER) if many else (ignore,)
    if all(code <= INDICES for code in values if code not in beside) and not (lossy and many):
        return [*values]
    if not many:
        return [code for code, value in values.items() if not value.is_edge]
    whole = sum(value.pixels for value in values.values())
    rare = [value for value in values.values() if value.pixels < PLENTIFUL * whole]
    edges = bool(rare) and sum(one.between for one in rare) >= SMOOTHED_SHARE * sum(one.pixels for one in rare)
    if not (lossy or edges):
        return [*values]
    own: list[int] = []
    for code, value in sorted(values.items(), key=lambda pair: -pair[1].pixels):
        near = any(abs(code - other) <= OVERSHOOT for other in own)
        if value.pixels >= PLENTIFUL * whole and not near and not value.is_edge:
            own.append(code)
    return own


def _kinds(names: tuple[str, ...], levels: Mapping[int, int], ignore: int | None) -> Kinds:
    levels = {**levels} if ignore is None else {**levels, ignore: NOTHING}
    return Kinds(names, np.array([*levels], np.uint32), np.array([*levels.values()], np.int8))


def _is_blurred_binary(values: Mapping[int, Value]) -> bool:
    if max(values) > 255:
        return False
    ends = sum(value.pixels for code, value in values.items() if code <= NEAR or code >= 255 - NEAR)
    return ends >= BINARY_SHARE * sum(value.pixels for value in values.values())


def _listed(values: Collection[int]) -> str:
    shown = [value_text(code) for code in sorted(values)]
    return ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "")
