"""`stylegan-ada data prepare`: a clean copy of a set."""

from pathlib import Path

import click

from ..config.data import parse_size
from ..errors import UserError, shown
from ..files import check_new_folder, user_path
from .common import PATH, Choice, new_folder, progress_bar

PREPARE_PRESETS = ("photo", "defect", "scan")
PREPARE_FITS = ("crop", "pad")
BACKGROUNDS = ("black", "edge", "reflect")


@click.command()
@click.argument("source")
@click.option("--out", required=True, type=PATH, help="Folder to write, new or empty.")
@click.option("--size", required=True, help="Side of the images (64), or height x width (64x96).")
@click.option(
    "--preset",
    type=Choice(PREPARE_PRESETS),
    help="photo: shape only. defect: local contrast, then shape. scan: gray, brightness stretched, then shape, padded. "
    "Default: photo.",
)
@click.option("--pipeline", type=PATH, help="A file of albumentations, in place of a preset.")
@click.option("--fit", type=Choice(PREPARE_FITS), help="Cut the centre, or pad the whole image. Default: the preset's.")
@click.option("--background", type=Choice(BACKGROUNDS), help="What to pad with. Default: the preset's.")
def prepare(
    source: str,
    out: Path,
    size: str,
    preset: str | None,
    pipeline: Path | None,
    fit: str | None,
    background: str | None,
) -> None:
    """Write a copy of a set with all images of one size.

    SOURCE is a folder, a .zip, a .tar or sample:NAME. Labels are kept. Images that cannot be prepared are left out and
    named.
    """
    from ..datasets import sample_licence
    from ..datasets.prepare.clean_copy import IMAGES, prepare
    from ..datasets.prepare.presets import preset_pipeline
    from ..libraries.albumentations_files import read_pipeline

    if pipeline and (preset or fit or background):
        raise UserError(f"`pipeline` {pipeline}: it says all that is done, leave `preset`, `fit` and `background` out")
    sides = parse_size(size)
    assert sides  # a size is required
    check_new_folder(out)
    images = user_path(source)
    if images.is_dir() and out.resolve().is_relative_to(images.resolve()):
        raise UserError(f"--out {out}: it lies inside {source}, of whose images it would become a part, choose another")
    if pipeline:
        name, chosen = str(pipeline), read_pipeline(pipeline)
    else:
        name = preset or PREPARE_PRESETS[0]
        chosen = preset_pipeline(name, sides, fit, background)
    with new_folder(out) as folder, progress_bar("preparing images") as progress:
        done = prepare(source, folder, size=sides, pipeline=chosen, name=name, progress=progress)
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    if done.failed:
        click.echo(f"warning: {len(done.failed)} of {done.written + len(done.failed)} images left out:", err=True)
        for file, reason in done.failed:
            click.echo(f"  {shown(file)}: {reason}", err=True)
    click.echo(f"wrote {done.written} images; before and after: {out / 'before-after.png'}")
    licence = sample_licence(source)
    if licence:
        click.echo(licence)
    click.echo(f"train on them with --data {out / IMAGES}")
