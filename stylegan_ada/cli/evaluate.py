"""`stylegan-ada evaluate`: how near a run's images are to the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..metrics.evaluate import Evaluation

MOST_IMAGES = 5000  # generated unless told: FID moves little beyond, and a CPU makes them in minutes

ROWS = """\
FID   {fid:9.3f}   How far the averages and spreads of real and generated features lie apart; lower is better.
KID   {kid:9.5f}   The same question without FID's dependence on the number of images; near 0 is as good as real.
count {count:9d}   Generated images, compared with {n_real} real ones. The features are EfficientNet-Lite0's."""


@click.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--data", metavar="SOURCE", help="Real images to compare with.  [default: those of the run]")
@click.option(
    "--count",
    type=click.IntRange(min=2),
    help=f"Images to generate.  [default: as many as there are real ones, at most {MOST_IMAGES}]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to compute."
)
def evaluate(run: Path, data: str | None, count: int | None, as_json: bool, device: str) -> None:
    """Measure how near the images of RUN, a run folder or a generator file, are to the real ones."""
    # torch takes seconds to import, and `--help` needs none of it
    from .. import load_generator
    from ..metrics.evaluate import evaluate as evaluate_generator
    from .common import run_dataset

    where = _resolve(device)
    dataset = run_dataset(run, data)
    generator = load_generator(run, device=where)
    if count is None:
        count = min(len(dataset), MOST_IMAGES)
    evaluation = evaluate_generator(generator, dataset, count, device=where, progress=_show)
    click.echo(_as_json(evaluation) if as_json else _as_table(evaluation))


def _resolve(device: str) -> str:
    import torch

    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _show(what: str, done: int, total: int) -> None:
    """The progress line, on stderr: stdout holds the figures alone."""
    click.echo(f"\r{what}: {done}/{total}", nl=done == total, err=True)


def _as_json(evaluation: Evaluation) -> str:
    figures = {"fid": {"value": evaluation.fid}, "kid": {"value": evaluation.kid}, "count": evaluation.count}
    return json.dumps(figures)


def _as_table(evaluation: Evaluation) -> str:
    return ROWS.format(fid=evaluation.fid, kid=evaluation.kid, count=evaluation.count, n_real=evaluation.n_real)
