"""`stylegan-ada generate dataset`"""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.preparation import Preparation
from ..devices import choose_device
from ..errors import UserError
from .common import DEVICES, PATH, Choice, check_new_folder, open_dataset, progress_bar, run_images
from .config_options import data_options

if TYPE_CHECKING:
    from ..config import RunConfig
    from ..metrics.evaluate import RealImages
    from ..metrics.networks.extractor import Extractor
    from ..sampling import TrainedGenerator
    from ..synthetic.filters import Filters
    from ..synthetic.make import SyntheticSet
    from ..synthetic.plan import Recipe


@click.command()
@click.argument("run", type=PATH)
@click.option("--out", required=True, type=PATH, help="A new folder.")
@click.option("--per-class", type=int, help="This many images of each class.")
@click.option("--count", type=int, help="This many images in all, with each class in its share of the training set.")
@click.option(
    "--balance-with",
    metavar="SOURCE",
    help="Generate what each class of this labelled set lacks to be as large as its largest.",
)
@data_options("file_column", "label_column")
@click.option(
    "--psi", multiple=True, metavar="P|CLASS=P", help="Truncation psi, for all classes or for one; repeatable."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed gives other images.")
@click.option("--format", type=Choice(("png", "jpg")), default="png", show_default=True)
@click.option("--quality", type=int, default=95, show_default=True, help="JPEG quality, 1 to 100.")
@click.option("--shards", is_flag=True, help="Write tar files for WebDataset instead of class folders.")
@click.option(
    "--reject-copies", is_flag=True, help="Reject images nearer to a training image than unseen real images are."
)
@click.option(
    "--reject-mislabelled",
    is_flag=True,
    help="Reject images that a classifier of real images assigns to another class.",
)
@click.option(
    "--reject-duplicates",
    is_flag=True,
    help="Reject images that show the same picture as an earlier one of their class.",
)
@click.option(
    "--keep-best",
    type=float,
    default=1.0,
    metavar="FRACTION",
    help="Keep this share of each block of 32, those of the highest density.",
)
@click.option(
    "--features",
    default="lite0",
    show_default=True,
    help="Network whose features the filters compare, as for evaluate.",
)
@click.option("--data", metavar="SOURCE", help="Real images for the filters, if not those of the run.")
@click.option("--precision", type=Choice(("fp32", "bf16")), default="fp32", show_default=True)
@click.option("--device", type=Choice(DEVICES), default="auto")
def dataset(
    run: Path,
    out: Path,
    per_class: int | None,
    count: int | None,
    balance_with: str | None,
    file_column: str | None,
    label_column: str | None,
    psi: tuple[str, ...],
    features: str,
    data: str | None,
    precision: str,
    device: str,
    **options: Any,
) -> None:
    """Write a set of generated images, laid out like training data, with a manifest and a data card.

    If it is stopped, the same command goes on. Under torchrun the processes share the work; the files are the same.
    """
    # these import torch, which takes seconds that `--help` need not spend
    from .. import distributed
    from ..metrics.networks import make_extractor
    from ..sampling import load_generator
    from ..synthetic.finish import finish_set
    from ..synthetic.make import make_candidates, set_facts
    from ..synthetic.partial import PartialSet
    from ..synthetic.plan import Recipe, truncation_psi_by_class
    from ..synthetic.write import check_shards

    if options["shards"]:
        check_shards()
    check_counts(per_class, count, balance_with)
    if balance_with is None and (file_column or label_column):
        raise UserError("--file-column, --label-column: they are for --balance-with")
    check_new_folder(out)
    where = choose_device(device)
    with distributed.group(where):
        generator = load_generator(run, where, precision)
        if options["format"] == "jpg" and generator.image_shape[0] == 4:
            raise UserError("--format jpg: it has no transparency, which this generator makes, give png")
        by_class = truncation_psi_by_class(psi, generator.classes)
        # what may be wrong or missing comes before images, which may take long to pack: the counts follow
        recipe = Recipe(counts=(1,) * len(by_class), psi=by_class, **options)
        extractor = make_extractor(features, where) if recipe.filtered else None
        counts = choose_counts(generator, per_class, count, balance_with, file_column, label_column)
        recipe = replace(recipe, counts=counts)
        facts = set_facts(generator, run, recipe, precision)
        filters = None
        if extractor is not None:
            filters, more = open_filters(run, data, extractor, generator, recipe)
            facts |= more
        partial = PartialSet(out)
        with ExitStack() as stack:
            distributed.first_rank_first(lambda: distributed.rank() > 0 or stack.enter_context(partial.locked()))
            with progress_bar("generating") as progress:
                told = progress if distributed.rank() == 0 else None
                made = make_candidates(generator, recipe, filters, partial, facts, told)
            if distributed.rank() == 0:
                finish_set(partial, generator, recipe, made, facts, lambda all_facts: card_of(run, all_facts))
                report(out, recipe, made, generator.classes)


def check_counts(per_class: int | None, count: int | None, balance_with: str | None) -> None:
    """Exactly one of the three."""
    given = [value is not None for value in (per_class, count, balance_with)]
    if sum(given) != 1:
        raise UserError("give one of --per-class, --count and --balance-with")
    for name, value in (("--per-class", per_class), ("--count", count)):
        if value is not None and value < 1:
            raise UserError(f"{name} {value}: give 1 or more")


def choose_counts(
    generator: "TrainedGenerator",
    per_class: int | None,
    count: int | None,
    balance_with: str | None,
    file_column: str | None,
    label_column: str | None,
) -> tuple[int, ...]:
    from ..synthetic.plan import counts_in_shares

    if count is not None:
        return counts_in_shares(generator.info.class_counts, count)
    if not generator.classes:
        raise UserError("--per-class, --balance-with: this generator was trained without labels, use --count")
    if per_class is not None:
        return (per_class,) * len(generator.classes)
    assert balance_with is not None
    return missing_counts(generator, balance_with, file_column, label_column)


def missing_counts(
    generator: "TrainedGenerator", source: str, file_column: str | None, label_column: str | None
) -> tuple[int, ...]:
    """What each class of the source lacks to be as large as the largest."""
    import numpy as np

    from .. import distributed
    from ..synthetic.plan import counts_to_fill

    _, height, width = generator.image_shape
    quiet = distributed.rank() > 0
    preparation = Preparation(
        size=(height, width), beyond_8_bits=False, file_column=file_column, label_column=label_column
    )
    real = distributed.first_rank_first(lambda: open_dataset(source, preparation, quiet=quiet))
    if real.labels is None:
        raise UserError(f"--balance-with {source}: it has no class folders or labels, use --count or --per-class")
    images = np.bincount(real.labels, minlength=len(real.classes)).tolist()
    return counts_to_fill(dict(zip(real.classes, images, strict=True)), generator.classes)


def open_filters(
    run: Path, data: str | None, extractor: "Extractor", generator: "TrainedGenerator", recipe: "Recipe"
) -> tuple["Filters", dict[str, str]]:
    """The filters, and what they depend on."""
    from .. import distributed
    from ..metrics.evaluate import check_fit, compute_real
    from ..synthetic.filters import Filters

    real: RealImages = distributed.first_rank_first(lambda: run_images(run, data))
    check_fit(generator, real)
    side = compute_real(real, extractor)
    facts = {"features": extractor.identity, "real_images": real.dataset.fingerprint}
    return Filters(recipe, side, generator.classes, extractor), facts


def card_of(run: Path, facts: dict[str, Any]) -> str:
    """The data card, with what the run's folder holds."""
    from ..synthetic.card import data_card
    from ..training.run_folder import RunFolder

    folder = RunFolder(run if run.is_dir() else run.parent)
    if not folder.is_run():
        return data_card(facts)
    config: RunConfig = folder.read_config()
    rows = folder.read_evaluations()
    confirmed = folder.read_confirmed()
    if confirmed is not None:
        rows.append(confirmed)
    measured = [row for row in rows if row["images"] == facts["images_seen"]]
    return data_card(facts, config, measured[-1] if measured else None)


def report(out: Path, recipe: "Recipe", made: "SyntheticSet", classes: tuple[str, ...]) -> None:
    """What was made, how fast, and what is missing."""
    for name, selection in zip(classes or ("",), made.selections, strict=True):
        if len(selection.chosen) < selection.count:
            of_class = f" of class {name!r}" if name else ""
            click.echo(
                f"warning: {len(selection.chosen)} images{of_class}, not {selection.count}: "
                f"{selection.candidates} candidates held no more that the filters keep",
                err=True,
            )
    timing = made.timing
    if timing.candidates:
        click.echo(
            f"{timing.candidates / timing.total:.1f} candidates per second in this process, "
            f"{timing.network / timing.total:.0%} of the time in the network"
        )
    click.echo(f"{len(made.items)} images, manifest.csv, dataset.json and README.md are in {out}")
