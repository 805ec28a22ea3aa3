"""Sets of images that are made of latents: what belongs together, and its files."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..pictures.files import as_picture, encode
from ..pictures.grids import MOST_ROWS, image_grid
from ..pictures.masks import encode_mask, marked_on
from ..sampling import TrainedGenerator
from ..synthetic.write import class_folders
from .directions import Directions, edit
from .latents import (
    Latents,
    class_name,
    interpolate,
    interpolate_noise,
    layer_thirds,
    mix,
    render_pairs,
    save_latents,
    vary,
)

COLUMNS = 9
LATENTS_FILE, GRID_FILE = "latents.npz", "grid.png"
IMAGES, MASKS = PurePosixPath("images"), PurePosixPath("masks")


@dataclass(frozen=True, eq=False)
class LatentSet:
    """latents: N. stems: the name of each image's file, without suffix. rows: of the grid, places among the N. names:
    of the rows, or none."""

    latents: Latents
    stems: tuple[str, ...]
    rows: tuple[Sequence[int], ...]
    names: tuple[str, ...]


def mixed(a: Latents, b: Latents, ranges: Sequence[tuple[int, int]] = ()) -> LatentSet:
    """Latent a with b's layers, first to last of each range (the coarse, middle and fine third where none are given),
    and a's noise. Each row is a, the mixture, b. a, b: one latent each."""
    thirds = () if ranges else ("coarse ", "middle ", "fine ")
    ranges = ranges or layer_thirds(a.w.shape[1])
    count = len(ranges)
    spans = [f"{first}-{last}" if first < last else f"{first}" for first, last in ranges]
    latents = Latents(
        w=torch.cat([a.w, b.w, *(mix(a.w, b.w, range(first, last + 1)) for first, last in ranges)]),
        noise=torch.cat([a.noise, b.noise, a.noise.expand(count, -1)]),
        labels=(a.labels + b.labels + a.labels * count) if a.labels and b.labels else (),
        space="w+",
        generator=a.generator,
    )
    return LatentSet(
        latents,
        stems=("0000-a", "0001-b", *(f"{number:04d}-layers{span}" for number, span in enumerate(spans, 2))),
        rows=tuple((0, number, 1) for number in range(2, count + 2)),
        names=tuple(f"{third}{span}" for third, span in zip(thirds or [""] * count, spans, strict=False)),
    )


def interpolated(a: Latents, b: Latents, frames: int) -> LatentSet:
    """Frames from a to b, both included: w in equal steps, noise as `interpolate_noise`; the class is the nearer
    one's."""
    latents = Latents(
        w=interpolate(a.w[0], b.w[0], frames),
        noise=interpolate_noise(a.noise[0], b.noise[0], frames),
        labels=(a.labels * (frames - frames // 2) + b.labels * (frames // 2)) if a.labels and b.labels else (),
        space="w" if a.space == b.space == "w" else "w+",
        generator=a.generator,
    )
    shown = np.linspace(0, frames - 1, min(frames, COLUMNS)).round().astype(int).tolist()
    return LatentSet(latents, tuple(f"frame{number:04d}" for number in range(frames)), (shown,), ("A to B",))


def varied(generator: TrainedGenerator, one: Latents, strength: float, count: int, seed: int = 0) -> LatentSet:
    """A latent and `count` neighbours, of its class where it has one, with its noise."""
    label = one.labels[0] if one.labels else None
    w = torch.cat([one.w, vary(generator, one.w[0], strength, count, seed, label)])
    rows = [range(first, min(first + COLUMNS, len(w))) for first in range(0, len(w), COLUMNS)][:MOST_ROWS]
    names = ["original, neighbours", *(["neighbours"] * (len(rows) - 1))]
    stems = ("0000-original", *(f"{number:04d}-neighbour" for number in range(1, count + 1)))
    return LatentSet(_repeated(one, w), stems, tuple(rows), tuple(names))


def edited(one: Latents, directions: Directions, name: str, amounts: Sequence[float]) -> LatentSet:
    """A latent, and moved by each amount along a direction, with its noise. The row is sorted by amount."""
    w = torch.cat([one.w, *(edit(one.w, directions, name, amount) for amount in amounts)])
    order = sorted(range(len(w)), key=lambda number: (0.0, *amounts)[number])
    stems = ("0000-original", *(f"{number:04d}-amount{amount:+g}" for number, amount in enumerate(amounts, 1)))
    return LatentSet(_repeated(one, w), stems, (order,), (name,))


def write_latent_set(folder: Path, generator: TrainedGenerator, made: LatentSet) -> NDArray[np.uint8]:
    """Writes an image each, of a generator that makes masks also masks/, latents.npz and grid.png. Returns the images,
    [N, H, W, C]."""
    images, masks = render_pairs(generator, made.latents.w, made.latents.noise)
    if generator.mask_kinds:
        (folder / MASKS).mkdir()
    for stem, image, mask in zip(made.stems, images, masks, strict=True):
        (folder / f"{stem}.png").write_bytes(encode(image))
        if generator.mask_kinds:
            (folder / MASKS / f"{stem}.png").write_bytes(encode_mask(mask))
    save_latents(folder / LATENTS_FILE, made.latents)
    shown = marked_on(images, masks)
    image_grid([shown[list(row)] for row in made.rows], made.names).save(folder / GRID_FILE)
    return images


def write_latent_images(folder: Path, generator: TrainedGenerator, latents: Latents) -> None:
    """Writes the files of `latent_files`."""
    for place, content in latent_files(generator, latents):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def latent_files(generator: TrainedGenerator, latents: Latents) -> Iterator[tuple[str, bytes]]:
    """Places and contents: an image each in class folders, manifest.csv (file, seed, label, psi; no seed and psi) and
    grid.png: the first images of each class, of the first classes. Of a generator that makes masks the class folders
    lie in images/, and their masks' in masks/."""
    images, masks = render_pairs(generator, latents.w, latents.noise)
    labels = latents.labels or ("",) * len(images)
    classes = [class_name(generator.labels, label) if label else "" for label in labels]
    known = [name for name in dict.fromkeys((*generator.classes, *classes)) if name]  # a file may name others
    folders = {"": ""} | dict(zip(known, class_folders(known), strict=True))
    above = IMAGES if generator.mask_kinds else PurePosixPath()
    manifest = io.StringIO()
    table = csv.writer(manifest)
    table.writerow(["file", "seed", "label", "psi"])
    for index, (label, name, image, mask) in enumerate(zip(labels, classes, images, masks, strict=True)):
        place = PurePosixPath(folders[name]) / f"latent{index:06d}.png"
        yield str(above / place), encode(image)
        if generator.mask_kinds:
            yield str(MASKS / place), encode_mask(mask)
        table.writerow([above / place, "", label, ""])
    yield "manifest.csv", manifest.getvalue().encode()
    names = [*dict.fromkeys(classes)][:MOST_ROWS]
    shown = marked_on(images, masks)
    rows = [shown[[own == name for own in classes]][:COLUMNS] for name in names]
    grid = io.BytesIO()
    image_grid(rows, names if latents.labels else ()).save(grid, "PNG")
    yield GRID_FILE, grid.getvalue()


def write_animation(path: Path, images: NDArray[np.uint8], milliseconds: int = 50) -> None:
    """An endless GIF or WebP, by the suffix. WebP is without loss; of colours GIF has 256. Frames that are equal follow
    each other as one that lasts longer."""
    first, *others = (as_picture(image) for image in images)
    first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0, lossless=True)


def _repeated(one: Latents, w: Tensor) -> Latents:
    """Latents of other w [N, num_ws, w_dim], of which all else is that of one latent."""
    return replace(one, w=w, noise=one.noise.expand(len(w), -1), labels=one.labels * len(w))
