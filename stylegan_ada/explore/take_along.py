"""The tray as one file: images, masks, a manifest, and the latents that make the same images by command line."""

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace

import torch

from ..projection.latent_sets import LATENTS_FILE, latent_files
from ..projection.latents import Latents, write_latents
from ..sampling import TrainedGenerator
from .shelf import Item


def tray_file(generator: TrainedGenerator, items: Sequence[Item]) -> bytes:
    """A .zip of all files that `generate images --latents` writes, and of the latents. items: at least one."""
    labels = [one.latents.labels for one in items]
    latents = replace(
        items[0].latents,
        w=torch.cat([one.latents.w for one in items]),
        noise=torch.cat([one.latents.noise for one in items]),
        labels=tuple(label for own in labels for label in own) if all(labels) else (),
        space="w" if all(one.latents.space == "w" for one in items) else "w+",
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for place, file in latent_files(generator, latents):
            archive.writestr(place, file)
        archive.writestr("origins.csv", _origins(items))
        archive.writestr(LATENTS_FILE, _latents(latents))
    return content.getvalue()


def _origins(items: Sequence[Item]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["latent", "origin"])
    table.writerows([index, item.origin] for index, item in enumerate(items))
    return text.getvalue()


def _latents(latents: Latents) -> bytes:
    content = io.BytesIO()
    write_latents(content, latents)
    return content.getvalue()
