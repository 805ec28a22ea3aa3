"""The outcome of interruptions, a row for each kind."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """what: was interrupted, and how. times: how often. lost: "nothing", or what was lost in the first such case."""

    what: str
    times: int
    lost: str = "nothing"


def as_markdown(rows: Sequence[Row]) -> str:
    """The table for docs/reliability.md."""
    lines = ["| what was done | times | lost |", "|---|---:|---|"]
    return "\n".join([*lines, *(f"| {row.what} | {row.times} | {row.lost} |" for row in rows)]) + "\n"
