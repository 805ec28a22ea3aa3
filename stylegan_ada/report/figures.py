"""Figures as the page's table of text."""

from ..metrics.figures import Figure
from ..metrics.words import SENTENCES, details, interval, number
from .page import FigureRow


def figure_rows(figures: dict[str, Figure], of_real: float | None) -> tuple[FigureRow, ...]:
    """of_real: label accuracy on real images."""
    return tuple(
        FigureRow(
            name=name,
            value=number(figure.value),
            interval=interval(figure),
            meaning=SENTENCES[name],
            details=tuple(details(figure, of_real)),
        )
        for name, figure in figures.items()
    )
