"""Figures of masks in words, for the terminal and for the report. Imports no torch."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..masks import MaskFigures

ROWS = (  # words, field of MaskShapes, form
    ("images with it", "images", "{:.1%}"),
    ("area of all pixels", "area", "{:.2%}"),
    ("pieces in an image", "pieces", "{:.2f}"),
    ("pixels of a piece", "size", "{:.1f}"),
    ("eccentricity", "eccentricity", "{:.2f}"),
)


def mask_table(figures: "MaskFigures") -> list[tuple[str, list[tuple[str, str, str]]]]:
    """(kind, lines of (words, generated, real)) each."""
    table = []
    for kind in figures.kinds:
        lines = [
            (words, form.format(getattr(kind.generated, name)), form.format(getattr(kind.real, name)))
            for words, name, form in ROWS
        ]
        table.append((kind.name, [*lines, ("IoU of a U-Net", f"{kind.iou_generated:.2f}", f"{kind.iou_real:.2f}")]))
    return table


def mask_footnote(figures: "MaskFigures") -> str:
    seen = "never seen by the generator" if figures.unseen else "not learned from"
    return f"the U-Net learned from real pairs; real ones that it is tested on: {figures.tested}, {seen}"
