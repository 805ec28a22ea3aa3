"""`stylegan-ada report`: one page about a run."""

from pathlib import Path

import click

from ..config.settings import Range
from ..devices import keep_freed_memory
from ..errors import UserError
from ..files import check_file, write_text
from ..metrics.table import MOST_IMAGES
from .common import DEVICE, PATH, RUN, Number, open_dataset, progress_bar


@click.command()
@RUN
@click.option("--out", required=True, type=PATH, help="The page to write, .html.")
@click.option("--no-real-images", is_flag=True, help="Show no real images, for private data.")
@click.option("--data", metavar="SOURCE", help="Where the run's images are now, if they have moved.")
@click.option(
    "--count",
    type=Number(int, Range("2 or more", 2)),
    help=f"Images to generate for the metrics. Default: as many as the set has, at most {MOST_IMAGES}.",
)
@DEVICE
def report(run: Path, out: Path, no_real_images: bool, data: str | None, count: int | None, device: str) -> None:
    """Write one page about a run: its training, metrics, images.

    RUN is a run folder.
    """
    keep_freed_memory()
    if out.suffix != ".html":
        raise UserError(f"--out {out}: give a name that ends in .html")
    check_file(out)
    with progress_bar("measuring images") as progress:
        from ..api import evaluation_of
        from ..report import render_page
        from ..report.build import make_page
        from ..training import RunFolder
        from ..training.run_report import read_record

        record = read_record(RunFolder(run))
        evaluation = evaluation_of(run, data, "lite0", count, device, open_dataset, progress)
        page = make_page(record, evaluation, not no_real_images)
    write_text(out, render_page(page))
    click.echo(f"the report is {out}")
