"""Metric results as the page's table of text."""

from ..metrics.results import MetricResult
from ..metrics.table import METRICS
from ..metrics.words import details, interval, number
from .page import MetricRow


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
