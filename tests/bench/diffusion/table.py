"""The figures of several models as a table in Markdown, a column for each model."""

from collections.abc import Callable, Mapping

Figures = Mapping[str, float | None]

ROWS: dict[str, Callable[[float], str]] = {
    "fid": lambda value: f"{value:.1f}",
    "kid": lambda value: f"{value:.3g}",  # its size depends on the network
    "precision": lambda value: f"{value:.2f}",
    "recall": lambda value: f"{value:.2f}",
    "density": lambda value: f"{value:.2f}",
    "coverage": lambda value: f"{value:.2f}",
    "inception_score": lambda value: f"{value:.2f}",
    "label_accuracy": lambda value: f"{100 * value:.0f}%",
    "copies": lambda value: f"{100 * value:.1f}%",
    "seconds": lambda value: f"{1000 * value:.1f} ms",
    "mebibytes": lambda value: f"{value:.0f} MiB",
    "pixels": lambda value: f"{value:.2f}",
}
NAMES = {"kid": "KID", "seconds_1": "an image alone", "seconds_32": "each of 32 at once", "mebibytes": "memory"}


def table(found: Mapping[str, Figures]) -> str:
    """found: figures of `figures.figures`, by the model's name."""
    names = list(found)
    keys = list(dict.fromkeys(key for figures in found.values() for key in figures))
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for key in keys:
        cells = [_cell(key, found[name].get(key)) for name in names]
        lines.append(f"| {_name(key)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _name(key: str) -> str:
    group, _, metric = key.rpartition("/")
    words = NAMES.get(metric, metric.replace("_", " "))
    return f"{group}: {words}" if group else words


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return ""
    group, _, metric = key.rpartition("/")
    return ROWS["pixels" if group == "pixels" else metric if metric in ROWS else metric.split("_")[0]](value)
