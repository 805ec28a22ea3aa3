"""`stylegan-ada evaluate`: how near a run's images are to the real ones."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import DEVICES, Choice, choose_device, keep_freed_memory, progress_bar, run_dataset

if TYPE_CHECKING:
    from ..metrics.evaluate import Evaluation

MOST_IMAGES = 5000  # generated unless told, so that a large set does not take hours on a CPU

ROWS = """\
FID   {fid:9.3f}   How far the averages and spreads of real and generated features lie apart; lower is better.
KID   {kid:9.5f}   The same question, unbiased for few images; near 0 (or below) these features see no difference.
count {count:9d}   Generated images, compared with {n_real} real ones. The features are EfficientNet-Lite0's."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", metavar="SOURCE", help="Real images to compare with, if not those of the run.")
@click.option(
    "--count",
    type=click.IntRange(min=2),
    help=f"Images to generate: as many as there are real ones, but at most {MOST_IMAGES}, if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--device", type=Choice(DEVICES), default="auto")
def evaluate(run: Path, data: str | None, count: int | None, as_json: bool, device: str) -> None:
    """Measure how near the images of RUN, a run folder or a generator file, are to the real ones."""
    keep_freed_memory()
    # these import torch, which takes seconds that `--help` need not spend
    from ..metrics.evaluate import evaluate as measure
    from ..sampling import load_generator

    where = choose_device(device)
    generator = load_generator(run, device=where)
    dataset = run_dataset(run, data)
    if count is None:
        count = min(len(dataset), MOST_IMAGES)
    with progress_bar("measuring images") as progress:
        evaluation = measure(generator, dataset, count, device=where, progress=progress)
    click.echo(_as_json(evaluation) if as_json else _as_table(evaluation))


def _as_json(evaluation: "Evaluation") -> str:
    figures = {"fid": {"value": evaluation.fid}, "kid": {"value": evaluation.kid}, "count": evaluation.count}
    return json.dumps(figures)


def _as_table(evaluation: "Evaluation") -> str:
    return ROWS.format(fid=evaluation.fid, kid=evaluation.kid, count=evaluation.count, n_real=evaluation.n_real)
