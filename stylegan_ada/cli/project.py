"""`stylegan-ada project`"""

from pathlib import Path
from typing import Any

import click

from ..config.settings import COUNT, NOT_NEGATIVE
from ..devices import keep_freed_memory
from .common import DEVICE, PATH, RUN, Choice, Number, open_dataset, progress_bar
from .messages import EVERYDAY, SectionedCommand, say_here

DAILY = ("--out", "--label", "--steps", "--tune", "--device", "--help")


@click.command(cls=SectionedCommand, sections={EVERYDAY: DAILY})
@RUN
@click.argument("images", nargs=-1, required=True, type=PATH)
@click.option("--out", required=True, type=PATH, help="A new folder, or one to go on with.")
@click.option("--space", type=Choice(("w", "w+")), default="w+", show_default=True, help="w+ has one w for each layer.")
@click.option("--steps", type=Number(int, COUNT), default=500, show_default=True, help="Steps of the search.")
@click.option("--tune", is_flag=True, help="Also fine-tune the generator to each image.")
@click.option("--label", metavar="LABEL|search", help="Label of all images; of table or folder if not given.")
@click.option("--mask", type=PATH, help="A gray image: white pixels count, black ones do not.")
@click.option(
    "--distance", default="vgg", show_default=True, help="vgg, lite0, inception, or a TorchScript file (.pt)."
)
@click.option(
    "--candidates",
    type=Number(int, COUNT),
    default=100,
    show_default=True,
    help="Sampled latents to choose the start from.",
)
@click.option("--batch", type=Number(int, COUNT), default=8, show_default=True, help="Images projected at once.")
@click.option(
    "--seed", type=Number(int, NOT_NEGATIVE), default=0, show_default=True, help="The seed of everything random."
)
@click.option(
    "--coverage/--no-coverage",
    default=True,
    help="Report which images are covered, by projecting held-out images of the run.",
)
@click.option("--data", metavar="SOURCE", help="Where the run's images are now, if they have moved.")
@DEVICE
def project(run: Path, images: tuple[Path, ...], out: Path, **options: Any) -> None:
    """Find latents of the generator RUN that reproduce IMAGES.

    IMAGES are files and folders. If it is stopped, the same command goes on. Under torchrun the processes share the
    work; the files are the same.
    """
    keep_freed_memory()
    # this imports torch, which takes seconds that `--help` need not spend
    from ..projection.image_files import project_folder

    project_folder(run, images, out, load=open_dataset, say=say_here, progress=progress_bar, **options)
