"""`stylegan-ada evaluate`: how good a run's images are."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.settings import Range
from ..devices import choose_device, keep_freed_memory
from ..errors import UserError, nearest
from ..metrics.table import METRICS, MOST_IMAGES, default_metrics, measure, pictured_metrics
from ..metrics.words.masks import mask_footnote, mask_table
from ..metrics.words.results import PIXEL_HEADINGS, details, footnotes, interval, number, pixel_table, reference_name
from .common import DEVICE, PATH, RUN, Number, check_picture, open_dataset, progress_bar

if TYPE_CHECKING:
    from ..metrics.masks import MaskFigures
    from ..metrics.mathematics.attribute_agreement import AttributeAgreement
    from ..metrics.mathematics.pixel_statistics import PixelFigure
    from ..metrics.results import MetricResult


def parse_metrics(text: str | None) -> tuple[str, ...]:
    """ "fid,kid" -> ("fid", "kid"); the default without a text."""
    if text is None:
        return default_metrics()
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if name not in METRICS:
            raise UserError(f"--metrics {name}: no such metric, {nearest(name, METRICS)}")
    return names


@click.command()
@RUN
@click.option("--data", metavar="SOURCE", help="Real images to compare with, if not those of the run.")
@click.option(
    "--metrics",
    help=f"Some of {','.join(METRICS)}. Default: all but {' and '.join(pictured_metrics())}, which train networks for "
    "minutes.",
)
@click.option(
    "--features",
    default="lite0",
    show_default=True,
    help="lite0, inception, vgg, or a TorchScript (.pt) or ONNX (.onnx) file.",
)
@click.option(
    "--count",
    type=Number(int, Range("2 or more", 2)),
    help=f"Images to generate. Default: as many as the set has, at most {MOST_IMAGES}.",
)
@click.option("--pairs", type=PATH, help="Write the closest pairs of generated and training images.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@DEVICE
def evaluate(
    run: Path,
    data: str | None,
    metrics: str | None,
    features: str,
    count: int | None,
    pairs: Path | None,
    as_json: bool,
    device: str,
) -> None:
    """Measure how good the images of a generator are.

    RUN is a run folder or a generator file.
    """
    keep_freed_memory()
    names = parse_metrics(metrics)
    if pairs is not None and "copies" not in names:
        raise UserError(f"--pairs {pairs}: needs the metric copies among --metrics")
    if pairs is not None:
        check_picture(pairs, "pairs")
    # these import torch, which takes seconds that `--help` need not spend
    from .. import distributed
    from ..api import evaluation_of
    from ..files import atomic_path
    from ..metrics.evaluate import closest_pairs
    from ..metrics.masks import mask_figures_or_why_not
    from ..metrics.mathematics.memorisation import Copies
    from ..pictures.grids import pair_grid

    with distributed.group(choose_device(device)):
        with progress_bar("measuring images") as progress:
            shown = progress if distributed.rank() == 0 else None
            pictured = not set(names).isdisjoint(pictured_metrics())
            evaluation = evaluation_of(run, data, features, count, device, open_dataset, shown, pictured)
        if distributed.rank() > 0:
            return
        generator, real, feature_sets = evaluation.generator, evaluation.real, evaluation.features
        if metrics is None:
            names = default_metrics(bool(feature_sets.real.attributes))
        results, left_out = measure(feature_sets, names)
        if pairs is not None and "copies" in results:
            copies = results["copies"].detail
            assert isinstance(copies, Copies)
            pictures = closest_pairs(generator, real, feature_sets, copies)
            with atomic_path(pairs) as temporary:
                pair_grid(*pictures).save(temporary)
        of_real = feature_sets.real.classifier.cross_validated() if "label_accuracy" in results else None
        masks = None
        if metrics is None and generator.mask_kinds:
            masks, reason = mask_figures_or_why_not(generator, real, len(feature_sets.generated), generator.device)
            left_out |= {"masks": reason} if reason else {}
        if as_json:
            text = as_json_text(results, feature_sets.real.classes, of_real, feature_sets.pixel_figures)
            click.echo(text if masks is None else json.dumps(json.loads(text) | {"masks": _masks(masks)}))
        else:
            click.echo(as_table(results, evaluation.network, reference_name(real), real.dataset.classes, of_real))
            click.echo("\n" + as_pixel_table(feature_sets.pixel_figures))
            if masks is not None:
                click.echo("\n" + as_mask_table(masks))
        for name, reason in left_out.items():
            click.echo(f"{name} is left out: {reason}", err=True)


def as_mask_table(figures: "MaskFigures") -> str:
    """What masks look like beside real ones, and how well a U-Net of real pairs finds them."""
    lines = []
    for name, rows in mask_table(figures):
        lines.append(f"mask {name:20} {'generated':>10} {'real':>10}")
        lines += [f"  {words:23} {made:>10} {real:>10}" for words, made, real in rows]
    return "\n".join([*lines, mask_footnote(figures)])


def as_table(
    results: dict[str, "MetricResult"],
    network: str,
    reference: str,
    classes: tuple[str, ...] = (),
    of_real: float | None = None,
) -> str:
    """A line per metric: value, interval, meaning. of_real: label accuracy on real images."""
    lines = [f"{'':15} {'value':>9}  {'95% interval':^20}"]
    for name, result in results.items():
        lines.append(f"{name:15} {number(result.value):>9}  {interval(result):>20}  {METRICS[name].meaning}")
        lines += [f"{'':15} {value:>9}  {words}" for value, words in details(result, of_real)]
    return "\n".join([*lines, *footnotes(results, network, reference, classes)])


def as_pixel_table(figures: dict[str, "PixelFigure"]) -> str:
    """A line per figure: its values, the ratio, the meaning."""
    rows = [(*PIXEL_HEADINGS, ""), *pixel_table(figures)]
    lines = [
        f"{name:18} {made:>10} {real:>10} {ratio:>10}  {meaning}".rstrip() for name, made, real, ratio, meaning in rows
    ]
    return "\n".join(lines)


def as_json_text(
    results: dict[str, "MetricResult"],
    classes: tuple[str, ...],
    of_real: float | None,
    figures: dict[str, "PixelFigure"],
) -> str:
    """{"fid": {"value": v, "low": l, "high": h, "n_real": n, "n_fake": m}, ..., "pixels": {"brightness": {"generated":
    g, "real": r, "ratio": q}, ...}}; null where there is no bound, or no ratio."""
    found: dict[str, Any] = {
        name: {**_plain(result), **_more(result, classes, of_real)} for name, result in results.items()
    }
    found["pixels"] = {name: {**asdict(figure), "ratio": figure.ratio} for name, figure in figures.items()}
    return json.dumps(found)


def _masks(figures: "MaskFigures") -> Any:
    """The figures as plain values, null for NaN."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return None if isinstance(value, float) and math.isnan(value) else value

    return plain(asdict(figures))


def _plain(result: "MetricResult") -> dict[str, Any]:
    value, low, high = (None if math.isnan(one) else one for one in (result.value, result.low, result.high))
    return {"value": value, "low": low, "high": high, "n_real": result.n_real, "n_fake": result.n_fake}


def _more(result: "MetricResult", classes: tuple[str, ...], of_real: float | None) -> dict[str, Any]:
    from ..metrics.mathematics.label_classifier import LabelFidelity
    from ..metrics.mathematics.memorisation import Copies
    from ..metrics.results import RealOnReal

    match result.detail:
        case dict() as per_class:
            return {"per_class": per_class}
        case Copies() as copies:
            return {"control": copies.control_share}
        case LabelFidelity() as fidelity:
            shares = zip(classes, fidelity.per_class.tolist(), strict=True)
            return {
                "cross_validated": of_real,
                "chance": fidelity.chance,
                "per_class": {label: None if math.isnan(share) else share for label, share in shares},
                "confusion": fidelity.confusion.tolist(),
            }
        case RealOnReal() as real:
            found = {"real_on_real": real.accuracy, "chance": real.chance, "unseen": real.unseen, "tested": real.tested}
            return found | ({"attributes": _attributes(real.attributes)} if real.attributes else {})
        case tuple() as agreements:
            return {"attributes": _attributes(agreements)}
    return {}


def _attributes(agreements: "tuple[AttributeAgreement, ...]") -> dict[str, Any]:
    """{"type": {"agreement": a, "of_real": r, "chance": c, "error": null, "error_of_real": null}, ...}"""
    return {
        one.name: {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(one).items()
            if name != "name"
        }
        for one in agreements
    }
