"""`stylegan-ada generate dataset`"""

from pathlib import Path
from typing import Any

import click

from .common import DEVICE, PATH, PRECISION, RUN, Choice, Number, open_dataset, progress_bar
from .config_options import data_options
from .messages import EVERYDAY, SectionedCommand, say_here

DAILY = (
    "--out",
    "--per-class",
    "--count",
    "--balance-with",
    "--label",
    "--by",
    "--psi",
    "--seed",
    "--format",
    "--device",
    "--help",
)


@click.command(cls=SectionedCommand, sections={EVERYDAY: DAILY})
@RUN
@click.option("--out", required=True, type=PATH, help="A new folder.")
@click.option("--per-class", type=Number(int), help="This many images of each class.")
@click.option(
    "--count", type=Number(int), help="This many images in all, with each class in its share of the training set."
)
@click.option(
    "--balance-with",
    metavar="SOURCE",
    help="Generate what each class of this labelled set lacks to be as large as its largest.",
)
@click.option(
    "--label",
    multiple=True,
    metavar="TEXT",
    help="Only this class, or these values of attributes (type=mono,degree=0.67, others are drawn); repeatable.",
)
@click.option("--by", metavar="ATTRIBUTE", help="--per-class images of each value of this attribute, others are drawn.")
@data_options("file_column", "label_column")
@click.option(
    "--psi", multiple=True, metavar="P|CLASS=P", help="Truncation psi, for all classes or for one; repeatable."
)
@click.option("--seed", type=Number(int), default=0, show_default=True, help="Another seed gives other images.")
@click.option("--format", type=Choice(("png", "jpg")), default="png", show_default=True, help="Of the image files.")
@click.option("--quality", type=Number(int), default=95, show_default=True, help="JPEG quality, 1 to 100.")
@click.option("--shards", is_flag=True, help="Write tar files for WebDataset instead of class folders.")
@click.option(
    "--reject-copies", is_flag=True, help="Reject images nearer to a training image than unseen real images are."
)
@click.option(
    "--reject-mislabelled",
    is_flag=True,
    help="Reject images that a classifier of real images assigns to another class.",
)
@click.option(
    "--reject-duplicates",
    is_flag=True,
    help="Reject images that show the same picture as an earlier one of their class.",
)
@click.option(
    "--keep-best",
    type=Number(float),
    default=1.0,
    metavar="FRACTION",
    help="Keep this share of each block of 32, those of the highest density.",
)
@click.option(
    "--mask-area",
    metavar="LOW:HIGH",
    help="Reject images whose mask marks less or more than these shares of them: 0.01: or 0.01:0.5.",
)
@click.option(
    "--masks-as",
    type=Choice(("png", "coco")),
    default="png",
    show_default=True,
    help="Masks as files beside the images, or as COCO's annotations.json.",
)
@click.option(
    "--features",
    default="lite0",
    show_default=True,
    help="Network whose features the filters compare, as for evaluate.",
)
@click.option("--data", metavar="SOURCE", help="Real images for the filters, if not those of the run.")
@PRECISION
@DEVICE
def dataset(run: Path, out: Path, **options: Any) -> None:
    """Write a set of generated images, laid out like training data.

    A manifest and a data card go with it. If it is stopped, the same command goes on. Under torchrun the processes
    share the work; the files are the same.
    """
    # this imports torch, which takes seconds that `--help` need not spend
    from ..synthetic.dataset import make_dataset

    make_dataset(run, out, load=open_dataset, say=say_here, progress=progress_bar, **options)
