"""Making a folder of generated images from a run, in one call."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import distributed
from ..datasets import load_dataset
from ..devices import choose_device, settings_kept
from ..errors import UserError
from ..files import check_new_folder, user_path
from ..metrics.evaluate import check_fit, compute_real
from ..metrics.networks import make_extractor
from ..metrics.networks.extractor import Extractor
from ..progress import Bar, Say, no_bar
from ..sampling import TrainedGenerator, load_generator
from ..training.run_folder import RunFolder
from ..training.run_images import run_images
from .candidates import SyntheticSet, make_candidates, set_facts
from .card import data_card
from .filters import Filters
from .finish import finish_set
from .masks import AREA, check_coco, parse_area
from .partial import PartialSet
from .plan import Recipe, truncation_psi_by_kind
from .wanted import Load, Wanted, missing_counts
from .write import check_shards


@settings_kept()
def make_dataset(
    run: str | Path,
    out: str | Path,
    *,
    per_class: int | None = None,
    count: int | None = None,
    balance_with: str | None = None,
    file_column: str | None = None,
    label_column: str | None = None,
    label: str | Sequence[str] = (),
    by: str | None = None,
    psi: float | str | Sequence[str] = (),
    mask_area: str | None = None,
    masks_as: str = "png",
    features: str = "lite0",
    data: str | None = None,
    precision: str = "fp32",
    device: str | None = "auto",
    load: Load = load_dataset,
    say: Say = print,
    progress: Bar = no_bar,
    **recipe: Any,
) -> dict[str, int]:
    """Writes generated images, laid out like training data, into the new folder `out`, as `generate dataset` does. If
    it is stopped, the same call goes on.

    run: a run folder or a generator's file. Exactly one of: per_class, images of each class; count, images in all, in
    the shares of the training set; balance_with, a labelled set whose smaller classes are filled up (file_column,
    label_column: of its labels.csv). label: what to make in place of all classes, a class or attributes such as
    "type=mono,degree=0.67", or several, each for a folder of its own; what one does not name is drawn. by: an attribute
    each value of which gets per_class images. psi: truncation from 0 to 2, or a list such as ["0.7", "NAME=0.9"].
    mask_area: of a generator that makes masks, LOW:HIGH, the least and the most share of an image that its mask may
    mark; masks_as: "png" or "coco".
    recipe: seed, format, quality, shards, reject_copies, reject_mislabelled, reject_duplicates and keep_best, as in
    `stylegan_ada.synthetic.Recipe`. features: the filters' network; data: their real images, if not the run's own.
    load: called as `load_dataset` is. say: called with each line that the command would print; progress: with the name
    of what begins.
    Returns how many images each class or label has, {"": n} without labels: fewer than asked for, which is said, where
    filters keep no more. UserError for what does not fit together or cannot be written; RunFailed for a full disk.
    """
    run, out = user_path(run), user_path(out)
    if recipe.get("shards"):
        check_shards()
    wanted = Wanted(
        per_class=per_class,
        count=count,
        balance_with=balance_with,
        labels=tuple(dict.fromkeys([label] if isinstance(label, str) else label)),
        by=by,
    )
    if balance_with is None and (file_column or label_column):
        raise UserError("`file_column`, `label_column`: they are for `balance_with`")
    partial = PartialSet(out)
    partial.delete_if_finished()
    check_new_folder(out)
    where = choose_device(device)
    with distributed.group(where):
        generator = load_generator(run, where, precision)
        if recipe.get("format") == "jpg" and generator.image_shape[0] == 4:
            raise UserError("`format` jpg: it has no transparency, which this generator makes, give png")
        _check_masks(generator, mask_area, masks_as, bool(recipe.get("shards")))
        recipe |= {"mask_area": parse_area(mask_area), "masks_as": masks_as}
        texts = [str(psi)] if isinstance(psi, float | int | str) else psi
        kinds = wanted.kinds(generator.labels)
        by_kind = truncation_psi_by_kind(texts, kinds)
        # what may be wrong or missing comes before images, which may take long to pack: the counts follow
        plan = Recipe(kinds=kinds, counts=(1,) * len(by_kind), psi=by_kind, **recipe)
        extractor = make_extractor(features, where, generator.image_shape[1:]) if plan.filtered else None
        first = distributed.rank() == 0
        if first:
            for remark in wanted.remarks(generator.labels):
                say(f"warning: {remark}")
        if balance_with is not None:
            counts = missing_counts(generator, run, balance_with, file_column, label_column, load)
        else:
            counts = wanted.counts(generator.info.class_counts, kinds)
        plan = replace(plan, counts=counts)
        facts = set_facts(generator, run, plan, precision)
        filters = None
        if extractor is not None:
            filters, more = _open_filters(run, data, extractor, generator, plan, load)
            facts |= more
        with ExitStack() as stack:
            distributed.first_rank_first(lambda: stack.enter_context(partial.locked()) if first else None)
            with (progress if first else no_bar)("generating") as told:
                made = make_candidates(generator, plan, filters, partial, facts, told)
            distributed.wait_for_all()  # finishing deletes what the others may still read
            if first:
                finish_set(partial, generator, plan, made, facts, lambda all_facts: _card_of(run, all_facts))
                _report(out, made, kinds, say)
    names = kinds or ("",)
    return {name: len(selection.chosen) for name, selection in zip(names, made.selections, strict=True)}


def _check_masks(generator: TrainedGenerator, mask_area: str | None, masks_as: str, shards: bool) -> None:
    if masks_as == "coco":
        check_coco()
        if shards:
            raise UserError("`masks_as` coco: `shards` hold masks as PNG, leave one of the two out")
    if not generator.mask_kinds and (mask_area is not None or masks_as != "png"):
        raise UserError("`mask_area`, `masks_as`: this generator was trained without masks")


def _open_filters(
    run: Path, data: str | None, extractor: Extractor, generator: TrainedGenerator, recipe: Recipe, load: Load
) -> tuple[Filters, dict[str, str]]:
    """The filters, and what they depend on."""
    real = distributed.first_rank_first(lambda: run_images(run, data, load))
    check_fit(generator, real)
    side = compute_real(real, extractor)
    facts = {"features": extractor.identity, "real_images": real.dataset.fingerprint}
    return Filters(recipe, side, recipe.kinds, extractor), facts


def _card_of(run: Path, facts: dict[str, Any]) -> str:
    """The data card, with what the run's folder holds."""
    folder = RunFolder(run if run.is_dir() else run.parent)
    if not folder.is_run():
        return data_card(facts)
    rows = folder.read_evaluations()
    confirmed = folder.read_confirmed()
    if confirmed is not None:
        rows.append(confirmed)
    measured = [row for row in rows if row["images"] == facts["images_seen"]]
    return data_card(facts, folder.read_config(), measured[-1] if measured else None)


def _report(out: Path, made: SyntheticSet, kinds: tuple[str, ...], say: Say) -> None:
    """Says what was made, how fast, and what is missing."""
    for name, selection in zip(kinds or ("",), made.selections, strict=True):
        if len(selection.chosen) < selection.count:
            of_class = f" of class {name!r}" if name else ""
            say(
                f"warning: {len(selection.chosen)} images{of_class}, not {selection.count}: "
                f"{selection.candidates} candidates held no more that the filters keep"
            )
    areas = [name for name in (made.items[0].scores if made.items else ()) if name.startswith(AREA)]
    timing = made.timing
    if timing.candidates:
        say(
            f"{timing.candidates / timing.total:.1f} candidates per second in this process, "
            f"{timing.network / timing.total:.0%} of the time in the network"
        )
    empty = [all(item.scores[name] == 0 for name in areas) for item in made.items]
    if areas:
        say(f"{sum(empty)} of {len(empty)} masks mark nothing")
    what = "images with masks" if areas else "images"
    say(f"{len(made.items)} {what}, manifest.csv, dataset.json and README.md are in {out}")
