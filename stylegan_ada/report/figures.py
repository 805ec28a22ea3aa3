"""Figures as the page's table of text."""

from ..metrics.figures import Figure
from ..metrics.table import METRICS
from ..metrics.words import details, interval, number
from .page import FigureRow


def figure_rows(figures: dict[str, Figure], of_real: float | None) -> tuple[FigureRow, ...]:
    """of_real: label accuracy on real images."""
    return tuple(
        FigureRow(
            name=name,
            value=number(figure.value),
            interval=interval(figure),
            meaning=METRICS[name].meaning,
            details=tuple(details(figure, of_real)),
        )
        for name, figure in figures.items()
    )
