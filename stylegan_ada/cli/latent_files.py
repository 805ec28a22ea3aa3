"""Files of latents and of tuned weights that commands read."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import PATH

if TYPE_CHECKING:
    from ..projection.latents import Latents
    from ..projection.tuning import Deltas
    from ..sampling import TrainedGenerator

TUNING = click.option("--tuning", type=PATH, help="Tuned weights, a .safetensors file.")


def open_latents(path: Path, generator: "TrainedGenerator") -> "Latents":
    """The latents of a file, with a word where they are another generator's."""
    from ..projection.latents import digest, load_latents

    latents = load_latents(path, generator)
    own = digest(generator)
    if latents.generator != own:
        click.echo(
            f"warning: {path} is of another generator ({latents.generator}, this one is {own}), "
            "here its latents may mean other images",
            err=True,
        )
    return latents


def open_tuning(generator: "TrainedGenerator", tuning: Path | None, latents: Path | None) -> "Deltas":
    """The tuned weights named, else those beside the file of latents, else none."""
    from ..projection.tuning import load_deltas

    if tuning is None and latents is not None and latents.with_suffix(".safetensors").exists():
        tuning = latents.with_suffix(".safetensors")
        click.echo(f"with the tuned weights of {tuning}", err=True)
    return {} if tuning is None else load_deltas(tuning, generator)
