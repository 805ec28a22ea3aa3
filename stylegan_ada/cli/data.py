"""`stylegan-ada data`, and of its commands the one that writes a sample set as folders."""

from pathlib import Path

import click

from ..files import check_new_folder
from .common import PATH, new_folder, progress_bar
from .lazy import LazyGroup


@click.group(cls=LazyGroup, files={"sample": "data", "inspect": "data_inspect", "prepare": "data_prepare"})
def data() -> None:
    """Inspect a set of images, prepare a copy, or write a sample."""


@click.command()
@click.argument("name")
@click.option("--out", required=True, type=PATH, help="Folder to write, new or empty.")
def sample(name: str, out: Path) -> None:
    """Write the sample set NAME (elpv, digits) as a folder of images.

    They lie in a folder for each class.
    """
    from ..datasets.reading.samples import SAMPLE_PREFIX, find_sample
    from ..datasets.reading.sources import SampleSource

    chosen = find_sample(name)
    check_new_folder(out)
    source = SampleSource(chosen)
    names = source.names
    with new_folder(out) as folder, progress_bar(f"writing {SAMPLE_PREFIX}{name}") as progress:
        for done, file in enumerate(names, start=1):
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(source.read(file))
            progress(done, len(names))
    click.echo(f"wrote {len(names)} images to {out}")
    click.echo(chosen.licence)
