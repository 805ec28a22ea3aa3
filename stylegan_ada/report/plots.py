"""Curves of a run, from the rows of its logs."""

import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from .page import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]
Panel = tuple[str, tuple[str, ...]]

TRAINING: tuple[Panel, ...] = (
    ("losses", ("loss_G", "loss_D")),
    ("regularisers (weighted)", ("loss_D_r1", "loss_G_pl")),
    ("augmentation", ("p", "r_t", "r_v")),
    ("seconds per thousand images", ("sec_per_kimg",)),
)
QUALITY: tuple[Panel, ...] = (
    ("FID", ("fid",)),
    ("KID", ("kid",)),
    ("shares", ("precision", "recall", "coverage")),
    ("copies and labels", ("copies", "copies_control", "label_accuracy", "label_chance")),
)


def figures() -> "type[Figure]":
    """matplotlib's, imported without its word on a home folder that it cannot write to: it makes do with another."""
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        from matplotlib.figure import Figure
    finally:
        logger.setLevel(before)
    return Figure


def plot_curves(rows: Rows, path: Path | io.BytesIO, panels: tuple[Panel, ...] = TRAINING) -> None:
    """Writes a PNG of four panels over thousands of images seen; a bar is a standard error, {name}_error of a row."""
    Figure = figures()
    figure = Figure(figsize=(10, 6), layout="constrained")
    for axes, (title, names) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        for name in names:
            chosen = [row for row in rows if name in row]
            if chosen:
                errors = [row.get(f"{name}_error", 0.0) for row in chosen]
                places, values = [row["kimg"] for row in chosen], [row[name] for row in chosen]
                axes.errorbar(places, values, yerr=errors if any(errors) else None, label=name)
        axes.set(title=title, xlabel="thousand images seen")
        if axes.has_data():
            axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100, format="png")


def curves(rows: Rows, panels: tuple[Panel, ...]) -> Image.Image:
    """The same as a picture."""
    buffer = io.BytesIO()
    plot_curves(rows, buffer, panels)
    return Image.open(buffer)


def curve_pictures(rows: Rows, evaluations: Rows) -> list[Picture]:
    """Curves of quality, from the rows of evaluations, and of training, from those of the log."""
    found = []
    if evaluations:
        caption = f"measured with {evaluations[0]['count']} generated images while training; bars are standard errors"
        found.append(Picture(title="Quality along the run", caption=caption, image=curves(evaluations, QUALITY)))
    if rows:
        caption = "docs/training.md says what each curve means"
        found.append(Picture(title="Training", caption=caption, image=curves(rows, TRAINING)))
    return found
