"""The kinds that masks show: chosen by the values that occur, or as asked for; and the kind of each pixel."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...config.masks import COLOR, MOST_KINDS, AskedKind, kind_names, value_text
from ...errors import UserError

ONLY = "mask"  # the name of a kind that is the only one
NOTHING = -1
BINARY_SHARE = 0.95  # of pixels that are nearly black or nearly white: a mask of two values, saved with loss
NEAR = 64  # gray levels
MANY = 16  # values, more than anybody has kinds
PLENTIFUL = 0.01  # share of all pixels: a value of its own, no blur of others


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


def asked_kinds(counts: Mapping[int, int], asked: Sequence[AskedKind], ignore: int | None) -> Kinds:
    """The kinds that `mask_kinds` names. counts: pixels of each value in all masks. Values that were not asked for show
    nothing where there are many of them, and are taken for the nearest where there are few. UserError for a value that
    no mask has."""
    names = kind_names(tuple(asked))
    levels: dict[int, int] = {}
    for kind in asked:
        if not isinstance(kind.value, int) or kind.value not in counts:
            raise UserError(
                f"`mask_kinds` {kind.name}={value_text(kind.value)}: no mask has that value, "
                f"there are {_listed(counts)}"
            )
        levels[kind.value] = names.index(kind.name)
    whole = sum(counts.values())
    rest = [code for code, count in counts.items() if count >= PLENTIFUL * whole]
    return _kinds(names, {**dict.fromkeys((0, *rest), NOTHING), **levels}, ignore)


def found_kinds(counts: Mapping[int, int], ignore: int | None) -> Kinds:
    """The kinds by the values that occur: one for each but 0; a single one for masks that are black and white up to
    blur. UserError where there are none, or too many."""
    values = sorted(code for code in counts if code not in (0, ignore))
    if not values:
        raise UserError("`masks`: they are empty, all pixels are 0: leave `masks` out")
    if len(values) > MOST_KINDS and _is_blurred_binary(counts):
        values = [255]
    if len(values) > MOST_KINDS:
        raise UserError(
            f"`masks`: they have {len(values)} values beside 0 ({_listed(dict.fromkeys(values))}), where there may be "
            f"{MOST_KINDS} kinds: say with `mask_kinds` which count, as crack=1,dent=2"
        )
    names = (ONLY,) if len(values) == 1 else tuple(map(value_text, values))
    return _kinds(names, {0: NOTHING} | {value: index for index, value in enumerate(values)}, ignore)


def _kinds(names: tuple[str, ...], levels: Mapping[int, int], ignore: int | None) -> Kinds:
    levels = {**levels} if ignore is None else {**levels, ignore: NOTHING}
    return Kinds(names, np.array([*levels], np.uint32), np.array([*levels.values()], np.int8))


def _is_blurred_binary(counts: Mapping[int, int]) -> bool:
    if len(counts) <= MANY or max(counts) > 255:
        return False
    ends = sum(count for code, count in counts.items() if code <= NEAR or code >= 255 - NEAR)
    return ends >= BINARY_SHARE * sum(counts.values())


def count_codes(codes: NDArray[np.uint32]) -> Counter[int]:
    """How many pixels have each value."""
    values, counts = np.unique(codes, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def _listed(counts: Mapping[int, object]) -> str:
    shown = [value_text(code) for code in sorted(counts)]
    return ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "")
