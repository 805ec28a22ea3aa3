"""The plan of a set: how many images of each class, from which seeds, made how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import UserError, nearest
from ..sampling import check_truncation_psi

BLOCK = 32  # candidates that are generated together, always: an image depends on its batch, up to rounding
SEEDS = 2**32  # of the generator, that one seed of a set may use
LARGEST_SEED = 2**31 - 1
FORMATS = ("png", "jpg")
MASKS_AS = ("png", "coco")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings that a set follows from, beside the generator and the real images of its filters.

    kinds: what images are made of, class names or other labels of the generator, () when unlabelled. counts: images of
    each kind, of all when unlabelled. psi: truncation_psi of each, from 0 to 2. seed: 0 to 2^31 - 1. quality: of JPEG,
    1 to 100. keep_best: the share of each block's candidates that is kept, the densest first, in (0, 1]. masks_as:
    "png" or "coco", of a generator that makes masks; mask_area: the least and the most share of an image that its mask
    may mark. UserError for anything out of range.
    """

    kinds: tuple[str, ...] = ()
    counts: tuple[int, ...]
    psi: tuple[float, ...]  # dataset.json and sets that are half made have it under this name
    seed: int = 0
    format: str = "png"
    quality: int = 95
    shards: bool = False
    reject_copies: bool = False
    reject_mislabelled: bool = False
    reject_duplicates: bool = False
    keep_best: float = 1.0
    masks_as: str = "png"
    mask_area: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if sum(self.counts) < 1 or min(self.counts) < 0:
            raise UserError("no images to make: say how many, 1 or more")
        for truncation_psi in self.psi:
            check_truncation_psi(truncation_psi, "psi")
        check_seed(self.seed)
        if self.format not in FORMATS:
            raise UserError(f"`format` {self.format}: no such choice, {nearest(self.format, FORMATS)}")
        if not 1 <= self.quality <= 100:
            raise UserError(f"`quality` {self.quality}: give a quality of JPEG from 1 to 100")
        if not 0 < self.keep_best <= 1:
            raise UserError(f"`keep_best` {self.keep_best}: give a share above 0, up to 1 for all")
        if self.masks_as not in MASKS_AS:
            raise UserError(f"`masks_as` {self.masks_as}: no such choice, {nearest(self.masks_as, MASKS_AS)}")

    @property
    def filtered(self) -> bool:
        """Whether the candidates are compared with real images."""
        return self.reject_copies or self.reject_mislabelled or self.reject_duplicates or self.keep_best < 1


def check_seed(seed: int) -> None:
    """Raises UserError unless the generator's seeds of a set of this seed are 64-bit numbers."""
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"`seed` {seed}: give a whole number from 0 to {LARGEST_SEED}")


def block_seeds(seed: int, kinds: int, label: int, block: int) -> range:
    """The generator's seeds of a block of candidates: block 0, 1, ... of kind `label` out of `kinds`, 0 unlabelled.

    Blocks of all kinds take turns, so no two share a seed: seed * 2^32 + (block * kinds + label) * 32 and the 31 that
    follow.
    """
    first = seed * SEEDS + (block * max(kinds, 1) + label) * BLOCK
    return range(first, first + BLOCK)


def counts_in_shares(class_counts: Sequence[int], count: int) -> tuple[int, ...]:
    """`count` images in the shares of `class_counts`, each class within one image of its own; (count,) without any."""
    if not class_counts:
        return (count,)
    total, before, counts = sum(class_counts), 0, []
    for own in class_counts:
        counts.append((before + own) * count // total - before * count // total)
        before += own
    return tuple(counts)


def counts_to_fill(present: Mapping[str, int], classes: Sequence[str]) -> tuple[int, ...]:
    """The number of images of each class of the generator that fill a set up to its largest class.

    present: the set's images by class. UserError unless its classes are those of the generator.
    """
    for name in present:
        if name not in classes:
            raise UserError(f"class {name!r} of the set to fill: the generator has none, {nearest(name, classes)}")
    for name in classes:
        if name not in present:
            raise UserError(f"class {name!r} of the generator: the set to fill has none, {nearest(name, present)}")
    most = max(present.values())
    if min(present.values()) == most:
        raise UserError(f"each class has {most} images already: there is nothing to fill")
    return tuple(most - present[name] for name in classes)


def truncation_psi_by_kind(texts: Sequence[str], kinds: Sequence[str]) -> tuple[float, ...]:
    """A truncation per kind from texts such as "0.7", for all, and "NAME=0.9", for one. 1 where nothing is said."""
    every, named = 1.0, {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            truncation_psi = float(number)
        except ValueError:
            raise UserError(f"`psi` {text}: give a number from 0 to 2, or CLASS=NUMBER") from None
        check_truncation_psi(truncation_psi, "psi")
        if not equals:
            every = truncation_psi
        elif name in kinds:
            named[name] = truncation_psi
        elif kinds:
            raise UserError(f"`psi` {text}: no such class, {nearest(name, kinds)}")
        else:
            raise UserError(f"`psi` {text}: this generator was trained without labels")
    return tuple(named.get(name, every) for name in kinds) or (every,)
