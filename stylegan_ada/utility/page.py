"""The report: tables, curve, confusion, and the test images that changed sides, in one page of HTML."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from .._version import __version__
from ..pictures.grids import image_grid
from ..pixels import nhwc
from ..report.page import Picture, render_page
from .plots import confusion_pair, fraction_curve
from .real import TrainTestImages
from .results import ArmResult
from .verdict import UtilityVerdict, points, verdict_by

COLUMNS = 8
MOST = 32  # images of each kind that are shown


@dataclass(frozen=True)
class Table:
    """rows: of a name, the columns' values as text, and a note or nothing."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], str], ...]


@dataclass(frozen=True, kw_only=True)
class UtilityPage:
    """All text is plain and may hold anything. facts, options: pairs of name and value."""

    title: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    tables: tuple[Table, ...]
    footnotes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    options: tuple[tuple[str, str], ...]
    version: str = __version__


def utility_page(
    results: Sequence[ArmResult],
    verdict: UtilityVerdict,
    real: TrainTestImages,
    facts: Sequence[tuple[str, str]],
    options: Sequence[tuple[str, str]],
    show_real: bool,
) -> str:
    """The page as HTML. show_real: with test images, which may be private."""
    classifiers = tuple(dict.fromkeys(result.classifier for result in results))
    fractions = tuple(dict.fromkeys(result.fraction for result in results))
    whole = [result for result in results if result.fraction == max(fractions)]
    findings = [verdict.sentence + "."]
    findings += [
        f"By the {name} classifier alone: {verdict_by(whole, name).sentence}."
        for name in classifiers
        if name != verdict.best.classifier
    ]
    pictures: list[Picture] = []
    for name in classifiers:
        if len(fractions) > 1:
            caption = "broken lines: without synthetic images; bars: the standard deviation between seeds"
            pictures.append(
                Picture(title=f"Fewer real images ({name})", caption=caption, image=fraction_curve(results, name))
            )
        caption = "shares of the test images of each true class, the mean over seeds"
        pictures.append(
            Picture(
                title=f"Before and after ({name})", caption=caption, image=confusion_pair(whole, name, real.classes)
            )
        )
    if show_real:
        pictures += changed_sides(whole, verdict.best, real)
    page = UtilityPage(
        title="Do synthetic images help?",
        facts=tuple(facts),
        findings=(*findings, *real.notes),
        tables=tuple(_tables(results, real.classes)),
        footnotes=(
            "Numbers are means over seeds, in percent. The gain is that of balanced accuracy over the best arm without "
            "synthetic images, with a 95% interval; p is corrected for the number of arms (Holm).",
        ),
        pictures=tuple(pictures),
        options=tuple(options),
    )
    return render_page(page, (files(__package__) / "page.html").read_text(encoding="utf-8"))


def _tables(results: Sequence[ArmResult], classes: Sequence[str]) -> list[Table]:
    families = dict.fromkeys((result.classifier, result.fraction) for result in results)
    tables = []
    for classifier, fraction in families:
        own = [result for result in results if (result.classifier, result.fraction) == (classifier, fraction)]
        title = f"{classifier}, {fraction:.0%} of the real images"
        columns = ("real", "synthetic", "balanced accuracy", "gain", "p", "accuracy", "macro F1", "AUROC", "ECE", "s")
        tables.append(Table(title, columns, tuple((r.arm.name, _row(r), _note(r)) for r in own)))
        recall = tuple(
            (result.arm.name, tuple(_percent(value) for value in result.recall.tolist()), "") for result in own
        )
        tables.append(Table(f"Recall by class ({title})", tuple(classes), recall))
    return tables


def _row(result: ArmResult) -> tuple[str, ...]:
    gain = result.gain
    measures = ("accuracy", "macro_f1", "auroc", "calibration_error")
    return (
        str(result.real),
        str(result.synthetic),
        _percent(result.mean("balanced_accuracy")),
        "" if gain is None else points(gain),
        "" if gain is None else f"{gain.p_corrected:.2g}",
        *(_percent(result.mean(name)) for name in measures),
        f"{result.seconds:.1f}",
    )


def _note(result: ArmResult) -> str:
    if result.generator_saw is None:
        return ""
    return f"its generator saw more real images than this arm was given: {result.generator_saw}"


def _percent(value: float) -> str:
    return "" if math.isnan(value) else f"{100 * value:.1f}"


def changed_sides(results: Sequence[ArmResult], best: ArmResult, real: TrainTestImages) -> list[Picture]:
    """Test images that most seeds classify rightly with synthetic images and wrongly without, and the other way."""
    before = next(r for r in results if r.classifier == best.classifier and r.arm.name == best.baseline)
    labels = real.test.labels
    right = [(result.predicted == labels).mean(axis=0) for result in (before, best)]
    pictures = []
    for title, change in (("Right only with synthetic images", right[1] - right[0]),
                          ("Wrong only with synthetic images", right[0] - right[1])):  # fmt: skip
        order = np.argsort(-change, kind="stable")
        chosen = order[change[order] > 0.5][:MOST]
        if len(chosen):
            shown = nhwc(real.test.pictures[chosen])
            rows = [shown[first : first + COLUMNS] for first in range(0, len(shown), COLUMNS)]
            names = [real.classes[label] for label in labels[chosen]]
            caption = f"{best.classifier}, {before.arm.name} against {best.arm.name}; their classes: {', '.join(names)}"
            pictures.append(Picture(title=title, caption=caption, image=image_grid(rows)))
    return pictures
