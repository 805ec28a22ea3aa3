"""`stylegan-ada report`: one page about a run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..devices import choose_device, keep_freed_memory
from ..errors import UserError
from .common import DEVICES, MOST_IMAGES, Choice, progress_bar, run_images
from .config_options import with_flags

if TYPE_CHECKING:
    import torch


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The page to write, .html.")
@click.option("--no-real-images", is_flag=True, help="Show no real images, for private data.")
@click.option("--data", metavar="SOURCE", help="Where the run's images are now, if they have moved.")
@click.option(
    "--count",
    type=click.IntRange(min=2),
    help=f"Images to generate for the metrics. Default: as many as the set has, at most {MOST_IMAGES}.",
)
@click.option("--device", type=Choice(DEVICES), default="auto")
def report(run: Path, out: Path, no_real_images: bool, data: str | None, count: int | None, device: str) -> None:
    """Write one page about RUN, a run folder: what was trained, how good it is and what it makes."""
    keep_freed_memory()
    if out.suffix != ".html" or not out.resolve().parent.is_dir():
        raise UserError(f"--out {out}: give a name that ends in .html, in a folder that exists")
    with progress_bar("measuring images") as progress:
        from ..files import write_text

        page = make_report(run, data, not no_real_images, count, choose_device(device), progress)
    write_text(out, with_flags(page))
    click.echo(f"the report is {out}")


def make_report(
    run: Path,
    data: str | None,
    show_real: bool,
    count: int | None,
    device: "torch.device",
    progress: Callable[[int, int], None],
) -> str:
    """The page's HTML."""
    from ..metrics.evaluate import Evaluation, compute_features
    from ..metrics.features import make_extractor
    from ..report import render
    from ..report.build import make_page
    from ..sampling import load_generator
    from ..training import RunFolder
    from ..training.run_report import read_record

    record = read_record(RunFolder(run))
    generator = load_generator(run, device=device)
    real = run_images(run, data)
    extractor = make_extractor("lite0", device)
    features = compute_features(
        generator, real, extractor, count or min(len(real.dataset), MOST_IMAGES), progress=progress
    )
    evaluation = Evaluation(generator=generator, real=real, features=features, network=extractor.name)
    return render(make_page(record, evaluation, show_real))
