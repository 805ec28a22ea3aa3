"""`stylegan-ada data`: write a sample set as folders, and look at a set before training on it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import shown
from .common import check_new_folder, new_folder, progress_bar
from .config_options import with_flags
from .lazy import LazyGroup

if TYPE_CHECKING:
    from ..datasets.inspect import Inspection


@click.group(cls=LazyGroup, files={"sample": "data", "inspect": "data", "prepare": "data_prepare"})
def data() -> None:
    """Write sample sets, inspect a set of images before training, or prepare a clean copy of it."""


@click.command()
@click.argument("name")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write, new or empty.")
def sample(name: str, out: Path) -> None:
    """Write the sample set NAME (elpv, digits) as a folder of labelled images."""
    from ..datasets.samples import SAMPLE_PREFIX, find_sample
    from ..datasets.sources import SampleSource

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


@click.command()
@click.argument("source")
@click.option("--no-labels", is_flag=True, help="Ignore class folders and label files.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(source: str, no_labels: bool, as_json: bool) -> None:
    """Report what SOURCE (a folder, a .zip or sample:NAME) holds, and what is wrong with it."""
    from ..datasets.inspect import inspect_source

    with progress_bar("reading images") as progress:
        found = inspect_source(source, use_labels=not no_labels, progress=progress)
    found = replace(found, warnings=[with_flags(warning) for warning in found.warnings])
    click.echo(json.dumps(asdict(found), indent=2) if as_json else "\n".join(map(shown, _report(found))))


def _report(found: "Inspection") -> Iterator[str]:
    kind = "unlabelled" if found.classes is None else f"{len(found.classes)} classes"
    yield f"{found.source}: {found.images} images, {kind}"
    for label, count in (found.classes or {}).items():
        yield f"  {label}: {count}"
    yield "sizes (height x width): " + ", ".join(f"{s.height}x{s.width} ({s.count})" for s in found.sizes)
    yield "modes: " + ", ".join(f"{mode} ({count})" for mode, count in found.modes.items())
    yield f"unreadable: {len(found.unreadable) or 'none'}"
    for file in found.unreadable:
        yield f"  {file.file}: {file.reason}"
    yield f"exact duplicates: {len(found.duplicates) or 'none'}"
    for group in found.duplicates:
        yield "  " + " = ".join(group)
    for warning in found.warnings:
        yield f"warning: {warning}"
