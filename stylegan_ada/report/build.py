"""Building the page from a run's folder and an evaluation."""

from dataclasses import dataclass
from typing import Any

from .._version import __version__
from ..config import RunConfig
from ..config.data import kind_of_images
from ..config.json import to_json
from ..metrics.evaluate import Evaluation, RealImages
from ..metrics.masks import mask_figures_or_why_not
from ..metrics.mathematics.memorisation import Copies
from ..metrics.measurements import EvaluationRow
from ..metrics.results import MetricResult, values_by_name
from ..metrics.table import METRICS, default_metrics, measure
from ..metrics.words.findings import findings
from ..metrics.words.masks import mask_footnote, mask_table
from ..metrics.words.results import details, footnotes, interval, number, pixel_table, reference_name
from ..sampling import TrainedGenerator
from .page import MetricRow, RunPage
from .pictures import pictures
from .plots import curve_pictures

FINE = "no sign of copies of training images, and labels, if there are any, are obeyed more than by chance"


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The contents of a run's folder. options: as given on the command line; log, evaluations: rows in order."""

    config: RunConfig
    options: dict[str, Any]
    log: list[EvaluationRow]
    evaluations: list[EvaluationRow]


def make_page(record: RunRecord, evaluation: Evaluation, show_real: bool) -> RunPage:
    """The page about a run whose generator was evaluated. show_real: with real images, which may be private."""
    config, generator, real, features = record.config, evaluation.generator, evaluation.real, evaluation.features
    results, _ = measure(features, default_metrics(bool(features.real.attributes)))
    of_real = features.real.classifier.cross_validated() if "label_accuracy" in results else None
    copies = results["copies"].detail if "copies" in results else None
    found = pictures(evaluation, copies if isinstance(copies, Copies) else None, show_real)
    masks, masks_note = None, ""
    if generator.mask_kinds:
        masks, reason = mask_figures_or_why_not(generator, real, len(features.generated), generator.device)
        masks_note = mask_footnote(masks) if masks else f"masks are left out: {reason}"
    given = {name.replace("_", "-"): str(value) for name, value in record.options.items() if value is not None}
    return RunPage(
        title=f"Generated images of {config.data.data}",
        facts=tuple(run_facts(config, generator, real)),
        findings=tuple(what_was_found(record, results, generator.info.images_seen)),
        metrics=metric_rows(results, of_real),
        footnotes=tuple(footnotes(results, evaluation.network, reference_name(real), real.dataset.classes)),
        pixels=tuple(pixel_table(features.pixel_figures)),
        masks=() if masks is None else tuple(mask_table(masks)),
        masks_footnote=masks_note,
        pictures=tuple(found + curve_pictures(record.log, record.evaluations)),
        options=tuple(given.items()),
        config=to_json(config),
        version=__version__,
    )


def what_was_found(record: RunRecord, results: dict[str, MetricResult], images_seen: int) -> list[str]:
    """The finding on the run's progress by the last measurement, and those on the generator by these results."""
    augment = record.config.augment
    now = values_by_name(results) | training_at(images_seen, record.log)
    shown = findings([now], augment.ada_max if augment.adapts else None)[1:] or [FINE]
    return record.evaluations[-1]["findings"][:1] + shown if record.evaluations else shown


def training_at(images_seen: int, log: list[EvaluationRow]) -> EvaluationRow:
    """kimg, p, r_t and, with held-out images, r_v of the moment at which a generator was kept: a row of the log is
    written whenever one is. p and r_t are 0 if the log does not go back to it."""
    before = [row for row in log if row["images"] <= images_seen]
    last = before[-1] if before else {"p": 0, "r_t": 0}
    return {"kimg": images_seen / 1000, **{name: last[name] for name in ("p", "r_t", "r_v") if name in last}}


def metric_rows(results: dict[str, MetricResult], of_real: float | None) -> tuple[MetricRow, ...]:
    """of_real: label accuracy on real images."""
    return tuple(
        MetricRow(
            name=name,
            value=number(result.value),
            interval=interval(result),
            meaning=METRICS[name].meaning,
            details=tuple(details(result, of_real)),
        )
        for name, result in results.items()
    )


def run_facts(config: RunConfig, generator: TrainedGenerator, real: RealImages) -> list[tuple[str, str]]:
    """Pairs of a name and what there is to say: of the images, the generator and its network."""
    channels, height, width = config.network.image_shape
    info = generator.info
    facts = [
        ("images", f"{height}x{width} pixels, {kind_of_images(channels)}, of {config.data.data}"),
    ]
    if real.trained_on is not None:
        held = 0 if real.held_out is None else len(real.held_out)
        facts.append(("trained on", f"{len(real.trained_on)} images" + (f", {held} held out" if held else "")))
    if info.classes:
        counts = zip(info.classes, info.class_counts, strict=True)
        kind = "combinations" if info.attributes else "classes"
        facts.append((kind, ", ".join(f"{name} ({count})" for name, count in counts)))
    facts += [(f"attribute {attribute.name}", attribute.words) for attribute in info.attributes]
    if info.balance:
        facts.append(("balance", f"{info.balance:g}: 0 shows classes as often as they occur, 1 equally often"))
    shown = f"after {info.images_seen / 1000:g} of {config.training.kimg:g} thousand images shown"
    facts.append(("this generator", shown))
    start = config.start
    if start.init_from is not None:
        origin = "" if start.origin is None else f", {start.origin}"
        facts.append(("started from", f"networks of sha256 {start.init_from[:12]}{origin}"))
    numbers = sum(parameter.numel() for parameter in generator.network.parameters())
    facts.append(("network", f"{numbers:,} numbers, trained in {config.network.precision}"))
    return facts
