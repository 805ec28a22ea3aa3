"""Pixel statistics in words, for the terminal and for the report. Imports no torch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .results import number

if TYPE_CHECKING:
    from ..mathematics.pixel_statistics import PixelFigure

HEADINGS = ("pixels", "generated", "real", "ratio")


def pixel_table(figures: Mapping[str, "PixelFigure"]) -> list[tuple[str, str, str, str, str]]:
    """A row for each: its name, the generated images' value, the real ones', the ratio, and the meaning."""
    from ..mathematics.pixel_statistics import FIGURES

    return [
        (name, number(one.generated), number(one.real), _ratio(one), FIGURES[name]) for name, one in figures.items()
    ]


def _ratio(figure: "PixelFigure") -> str:
    return "real is 0" if figure.ratio is None else f"{figure.ratio:.2f}"
