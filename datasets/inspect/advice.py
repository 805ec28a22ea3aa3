"""The options of `train` that a look at a source speaks for, with reasons."""

import math
from dataclasses import dataclass, replace
from typing import Any

from ...config.network import block_shapes, nearest_size_within
from ...config.options import TrainOptions
from ...config.preparation import AUTO
from ...config.resolve import Facts, Machine, resolve
from ...errors import UserError
from ..packing.sizes import chosen_size
from .inspection import HOLDOUT, Inspection

LEAST_HELD_OUT = 50  # images to measure against
WORTH_A_FEW = 2  # times as many pixels, for which a few small images are given up
UNEQUAL = 10  # times as many images in the largest class as in the smallest


@dataclass(frozen=True)
class Advice:
    """options: to give to `train`. reasons: a line on each of them, on others to think about, and on what `train` would
    choose by itself."""

    options: TrainOptions
    reasons: list[str]


def advise(found: Inspection, machine: Machine, read_with: TrainOptions) -> Advice | None:
    """The options to train with after this inspection, on this machine; None without images, or if they are too small.

    read_with: what the images and labels were read with.
    """
    size = _size(found)
    if size is None:
        return None
    given: dict[str, Any] = {}
    reasons = []
    height, width = _least(found)
    largest, left_out = _without_the_few(found)
    words = f"{size[0]}x{size[1]}"
    if len(found.sizes) == 1 and size == (height, width):
        reasons.append(f"no `size`: all images are {words}, for which a network can be built")
    elif left_out and largest is not None and math.prod(largest) >= WORTH_A_FEW * math.prod(size):
        size, given["size"] = largest, AUTO
        reasons.append(
            f"`size` auto: {size[0]}x{size[1]}, for which {left_out} of {found.images} images are too small and left "
            f"out (least height {height}, least width {width}; images are never enlarged)"
        )
    else:
        given["size"] = str(size[0]) if size[0] == size[1] else words
        reasons.append(
            f"`size` {given['size']}: the nearest size that a network can be built for and that no image is smaller "
            f"than (least height {height}, least width {width}; images are never enlarged); a smaller one trains sooner"
        )
    labelled = not read_with.no_labels and not found.labels_refused
    if found.labels_refused:
        reasons.append(f"`no_labels`: {found.labels_refused}")
    if found.labels_refused and found.groups and read_with.groups is None:
        reasons.append("no `holdout`: without labels the groups of labels.csv are not kept together")
    elif found.holdout >= LEAST_HELD_OUT:
        given["holdout"] = HOLDOUT
        whole = ", in whole groups" if found.groups else ""
        reasons.append(
            f"`holdout` {HOLDOUT:g}: {found.holdout} images{whole} are kept from training, to measure against and to "
            "find copies by (docs/metrics.md)"
        )
    else:
        reasons.append(f"no `holdout`: {HOLDOUT:g} would hold out {found.holdout} images, too few to measure against")
    options = replace(read_with, no_labels=not labelled, **given)
    facts = Facts(
        image_shape=(1 if found.gray else 3, *size),
        classes=tuple(found.classes or ()) if labelled else (),
        count=found.images,
        fingerprint="",
    )
    if labelled:
        reasons += _on_balance(found)
    return Advice(options, reasons + resolve(options, facts, machine)[1])


def _least(found: Inspection) -> tuple[int, int]:
    return min(size.height for size in found.sizes), min(size.width for size in found.sizes)


def _without_the_few(found: Inspection) -> tuple[tuple[int, int] | None, int]:
    """The size that `size` auto takes, None where there is none, and how many images it leaves out."""
    shapes = [(size.height, size.width) for size in found.sizes for _ in range(size.count)]
    try:
        height, width, _ = chosen_size(shapes, "crop")
    except UserError:
        return None, 0
    return (height, width), sum(h < height or w < width for h, w in shapes)


def _size(found: Inspection) -> tuple[int, int] | None:
    """(height, width): that of all images if a network can be built for it."""
    if not found.sizes:
        return None
    least = _least(found)
    try:
        block_shapes(*least)
    except UserError:
        return nearest_size_within(*least)
    return least


def _on_balance(found: Inspection) -> list[str]:
    counts = {label: count for label, count in (found.classes or {}).items() if count}
    if len(counts) < 2:
        return []
    large, small = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[large] < UNEQUAL * counts[small]:
        return []
    return [
        f"`balance`, to think about: class {large!r} has {counts[large]} images and {small!r} {counts[small]}; "
        "with 0.5 or 1 small classes are seen more often, and so is each of their images (docs/data.md)"
    ]
