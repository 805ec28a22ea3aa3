"""`stylegan-ada generate`"""

import click

from ..devices import keep_freed_memory
from .lazy import LazyGroup

FILES = {
    "dataset": "generate_dataset",
    "edit": "generate_latents",
    "grid": "generate_images",
    "images": "generate_images",
    "interpolate": "generate_latents",
    "mix": "generate_latents",
    "vary": "generate_latents",
}


@click.group(cls=LazyGroup, files=FILES)
def generate() -> None:
    """Make images with a trained generator."""
    keep_freed_memory()
