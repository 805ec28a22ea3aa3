"""An evaluation as one row of numbers, as a run's folder keeps them."""

from .figures import Figure
from .intervals import NORMAL_95
from .labels import LabelFidelity
from .memorisation import Copies


def as_row(figures: dict[str, Figure]) -> dict[str, float]:
    """Every figure by name, its standard error as {name}_error, and what belongs to it."""
    row: dict[str, float] = {}
    for name, figure in figures.items():
        row[name] = figure.value
        if name != "fid":
            row[f"{name}_error"] = (figure.high - figure.low) / (2 * NORMAL_95)
        row |= _details(figure)
    return row


def _details(figure: Figure) -> dict[str, float]:
    match figure.detail:
        case Copies() as copies:
            return {"copies_control": copies.control_share, "copies_excess": copies.excess}
        case LabelFidelity() as fidelity:
            return {"label_chance": fidelity.chance}
    return {}
