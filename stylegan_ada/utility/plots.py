"""Curves over fewer real images, and confusion before and after."""

import io
from collections.abc import Sequence

from PIL import Image

from ..report.plots import figures
from .results import ArmResult
from .verdict import verdict_by


def fraction_curve(results: Sequence[ArmResult], classifier: str) -> Image.Image:
    """Balanced accuracy of each arm over the number of real images that it was given; bars are the standard deviation
    between seeds."""
    Figure = figures()
    from matplotlib import colormaps

    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=colormaps["tab20"](range(20)))  # there are more arms than the ten usual colours
    own = [result for result in results if result.classifier == classifier]
    given = {fraction: max(r.real for r in own if r.fraction == fraction) for fraction in {r.fraction for r in own}}
    for name in dict.fromkeys(result.arm.curve for result in own):
        rows = sorted((result for result in own if result.arm.curve == name), key=lambda result: result.fraction)
        spreads = [_spread([scores.balanced_accuracy for scores in result.scores]) for result in rows]
        axes.errorbar(
            [given[result.fraction] for result in rows],
            [result.mean("balanced_accuracy") for result in rows],
            yerr=spreads,
            label=name,
            marker="o",
            linestyle="-" if rows[0].arm.synthetic else "--",
            capsize=2,
        )
    axes.set(xscale="log", xlabel="real images learned from", ylabel="balanced accuracy", title=classifier)
    ticks = sorted(given.values())
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(alpha=0.3)
    return _picture(figure)


def confusion_pair(results: Sequence[ArmResult], classifier: str, classes: Sequence[str]) -> Image.Image:
    """Shares of each true class's test images by predicted class: of the best real-only arm, and of the best with
    synthetic images. results: of one fraction."""
    Figure = figures()
    best = verdict_by(results, classifier).best
    before = next(r for r in results if r.classifier == classifier and r.arm.name == best.baseline)
    side = max(3.0, 0.55 * len(classes))
    figure = Figure(figsize=(2 * side + 3, side + 2), layout="constrained")
    for axes, result in zip(figure.subplots(1, 2), (before, best), strict=True):
        counts = result.confusion
        shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
        axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        for row, column in ((i, j) for i in range(len(classes)) for j in range(len(classes))):
            if shares[row, column] >= 0.005:
                color = "white" if shares[row, column] > 0.6 else "black"
                axes.text(column, row, f"{shares[row, column]:.2f}", ha="center", va="center", color=color, fontsize=8)
        axes.set_xticks(range(len(classes)), classes, rotation=60, ha="right")
        axes.set_yticks(range(len(classes)), classes)
        axes.set(title=result.arm.name, xlabel="predicted", ylabel="true class")
    return _picture(figure)


def _spread(values: Sequence[float]) -> float:
    import numpy as np

    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _picture(figure: object) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100, format="png")  # type: ignore[attr-defined] # matplotlib's is imported where used
    return Image.open(buffer)
