"""Make a set: candidates in blocks, shared by processes; a selection in the order of seeds; files."""

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from .. import distributed
from .._version import __version__
from ..checkpoint import generator_file, read_notes
from ..labels.attribute import NUMBER, Attribute
from ..pictures.masks import values_of
from ..pixels import as_8_bits
from ..progress import Progress
from ..sampling import TrainedGenerator
from .blocks import read_judgement, write_block
from .filters import Filters, accept_all
from .masks import with_areas
from .partial import PartialSet
from .plan import BLOCK, Recipe, block_seeds
from .selection import Selection
from .write import SyntheticImage

FORMAT = "stylegan_ada synthetic set 1"


@dataclass(kw_only=True)
class Timing:
    """The work of this process: candidates made, seconds in the network, seconds in all."""

    candidates: int = 0
    network: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SyntheticSet:
    """A selection per kind, the images in the order of the files, and this process's timing."""

    selections: list[Selection]
    items: list[SyntheticImage]
    timing: Timing


def set_facts(generator: TrainedGenerator, run: Path, recipe: Recipe, precision: str) -> dict[str, Any]:
    """All that the files of a set depend on, but for the real images and the network of its filters."""
    settings, space = asdict(recipe), generator.labels
    if recipe.kinds == generator.classes:
        del settings["kinds"]
    if generator.mask_kinds:
        settings["mask_kinds"] = values_of(generator.mask_kinds)
    else:
        del settings["masks_as"], settings["mask_area"]
    digest = hashlib.sha256(generator_file(run).read_bytes()).hexdigest()
    return {
        "format": FORMAT,
        "version": __version__,
        "torch": torch.__version__,
        "generator_sha256": digest,
        "images_seen": generator.info.images_seen,
        "image_shape": list(generator.image_shape),
        "classes": list(generator.classes),
        **({} if space.is_flat else {"attributes": [_attribute_facts(one) for one in space.attributes]}),
        "device": generator.device.type,
        "precision": precision,
        "block": BLOCK,
        **{name: text for name, text in read_notes(run).items() if name == "origin"},
        **settings,
    }


def _attribute_facts(attribute: Attribute) -> dict[str, Any]:
    of = {"low": attribute.low, "high": attribute.high} if attribute.kind == NUMBER else {"values": attribute.values}
    return {"name": attribute.name, "kind": attribute.kind, **of}


def make_candidates(
    generator: TrainedGenerator,
    recipe: Recipe,
    filters: Filters | None,
    partial: PartialSet,
    options: dict[str, Any],
    progress: Progress | None = None,
) -> SyntheticSet:
    """Generates and selects, keeping blocks in `partial`, which the caller's first process has locked.

    Under torchrun each process makes a share of the blocks; all have the result. The same recipe gives the same
    images, whatever the number of processes, and whether or not it was interrupted.
    """
    distributed.first_rank_first(lambda: partial.begin(options) if distributed.rank() == 0 else None)
    start, timing = time.perf_counter(), Timing()
    duplicates = None if filters is None else filters.duplicates
    selections = [Selection(count, duplicates) for count in recipe.counts]
    while wanted := [(label, block) for label, one in enumerate(selections) for block in one.next_blocks()]:
        mine = [
            key for key in wanted[distributed.rank() :: distributed.world_size()] if not partial.block(*key).exists()
        ]
        done = sum(len(one.chosen) for one in selections)

        def tell(blocks: int, done: int = done) -> None:
            if progress is not None:
                total = sum(recipe.counts)
                progress(min(done + blocks * BLOCK * distributed.world_size(), total), total)

        distributed.every_rank(
            lambda: _make_blocks(generator, recipe, filters, partial, mine, timing, tell)  # noqa: B023 - called at once
        )
        for label, block in wanted:
            selections[label].add(read_judgement(partial.block(label, block)))
    timing.total = time.perf_counter() - start
    return SyntheticSet(selections=selections, items=_items(generator, recipe, partial, selections), timing=timing)


def _make_blocks(
    generator: TrainedGenerator,
    recipe: Recipe,
    filters: Filters | None,
    partial: PartialSet,
    keys: Sequence[tuple[int, int]],
    timing: Timing,
    tell: Callable[[int], None],
) -> None:
    """Generates and judges blocks here, while threads encode and write those before."""
    workers = os.cpu_count() or 1
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for number, (label, block) in enumerate(keys):
            seeds = block_seeds(recipe.seed, len(recipe.kinds), label, block)
            names = [recipe.kinds[label]] * BLOCK if recipe.kinds else None
            start = time.perf_counter()
            images, masks = generator.sample_pairs(seeds, names, recipe.psi[label], batch_size=BLOCK)
            timing.network += time.perf_counter() - start
            timing.candidates += BLOCK
            in_8 = as_8_bits(images, generator.info.window)
            judgement = accept_all(BLOCK) if filters is None else filters.judge(in_8, label)
            if generator.mask_kinds:
                judgement = with_areas(judgement, masks, generator.mask_kinds, recipe.mask_area)
            images = in_8 if recipe.format == "jpg" else images
            waiting.append(pool.submit(write_block, partial.block(label, block), images, masks, judgement, recipe))
            if len(waiting) > 2 * workers:  # no more in memory than keeps the threads busy
                waiting.popleft().result()
            tell(number + 1)
        for future in waiting:
            future.result()


def _items(
    generator: TrainedGenerator, recipe: Recipe, partial: PartialSet, selections: list[Selection]
) -> list[SyntheticImage]:
    """Kind after kind; for shards, which are read from front to back, the kinds' images take turns."""
    ranked = []
    for label, selection in enumerate(selections):
        seeds = [
            block_seeds(recipe.seed, len(recipe.kinds), label, chosen.block)[chosen.position]
            for chosen in selection.chosen
        ]
        name = recipe.kinds[label] if recipe.kinds else ""
        rows = generator.label_rows(seeds, [name] * len(seeds) if name else None)
        for place, (chosen, seed, row) in enumerate(zip(selection.chosen, seeds, rows, strict=True)):
            image = SyntheticImage(
                block_file=partial.block(label, chosen.block),
                position=chosen.position,
                seed=seed,
                label=label,
                name=name,
                row=row,
                truncation_psi=recipe.psi[label],
                scores=chosen.scores,
            )
            ranked.append((place, image))
    if recipe.shards:
        ranked.sort(key=lambda pair: pair[0])
    return [item for _, item in ranked]
