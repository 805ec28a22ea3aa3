"""`python -m tests.bench.interruptions --out DIR [--minutes N]`: all parts, their table printed and left in DIR."""

import time
from pathlib import Path

import click

from . import disks, kills, pressure, processes, suite
from .table import Row, as_markdown

PARTS = {  # name: rows(out, seconds), the part's share of the time
    "kills": kills.rows,
    "disks": disks.rows,
    "damage": suite.rows,
    "processes": processes.rows,
    "pressure": pressure.rows,
}


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--minutes", type=click.FloatRange(min=1), default=60.0, show_default=True)
@click.option("--part", "parts", type=click.Choice(list(PARTS)), multiple=True, help="Default: all parts.")
def main(out: Path, minutes: float, parts: tuple[str, ...]) -> None:
    """Interrupt runs in every way that is known, and say what was lost."""
    chosen = parts or tuple(PARTS)
    rows: list[Row] = []
    for name in chosen:
        start = time.perf_counter()
        rows += PARTS[name](out / name, 60 * minutes / len(chosen))
        click.echo(f"{name}: {time.perf_counter() - start:.0f} s", err=True)
    (out / "table.md").write_text(as_markdown(rows), encoding="utf-8")
    click.echo(as_markdown(rows))


main()
