"""Images of seeds, each with a label: in class folders, or in rows that move one attribute; with their manifest."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..labels.attribute import Row
from ..labels.sweep import Sweep
from ..pictures.files import encode, picture_suffix
from ..pictures.grids import MOST_ROWS, image_grid
from ..pictures.masks import encode_mask, with_contours
from ..pixels import as_8_bits
from ..progress import Progress
from ..sampling import TrainedGenerator
from .write import COLUMNS, attribute_columns, attribute_texts, class_folders

BATCH = 32
MOST_COLUMNS = 64  # of the picture of rows


def write_images(
    folder: Path,
    generator: TrainedGenerator,
    seeds: Sequence[int],
    labels: Sequence[str] | None,
    truncation_psi: float,
    progress: Progress,
) -> None:
    """An image for each seed, with the label of `TrainedGenerator.sample`, in the folder of its class, and
    manifest.csv: file, seed, label (the class), psi, and the value of each attribute. Where the generator makes masks,
    all images lie in the folder `images`, and their masks, alike, in `masks`."""
    rows = generator.label_rows(seeds, labels)
    names = [_class_of(generator, row) for row in rows]
    known = [*dict.fromkeys((*generator.classes, *names))]  # a combination may be none that training had
    folders = {"": ""} | {name: place for name, place in zip(known, class_folders(known), strict=True) if name}
    suffix = picture_suffix(generator.dtype)
    with _manifest(folder, generator) as manifest:
        for first in range(0, len(seeds), BATCH):
            part = slice(first, first + BATCH)
            batch, masks = generator.sample_pairs(seeds[part], labels[part] if labels else None, truncation_psi)
            for seed, name, row, image, mask in zip(seeds[part], names[part], rows[part], batch, masks, strict=True):
                file = _write(folder, f"{folders[name]}/seed{seed:010d}".lstrip("/"), suffix, image, mask)
                manifest.writerow([file, seed, name, truncation_psi, *attribute_texts(generator.labels, row)])
            progress(first + len(batch), len(seeds))


def write_sweep(
    folder: Path,
    generator: TrainedGenerator,
    seeds: Sequence[int],
    sweep: Sweep,
    label: str | None,
    truncation_psi: float,
    progress: Progress,
) -> None:
    """For each seed an image with each value of the sweep, and z, noise and all other attributes the same: those that
    `label` names, the others drawn by seed. The files sort by seed and value; manifest.csv is that of `write_images`,
    and grid.png has a row for each of the first seeds."""
    suffix = picture_suffix(generator.dtype)
    shown = np.linspace(0, len(sweep.values) - 1, min(len(sweep.values), MOST_COLUMNS)).round().astype(int)
    pictures: list[NDArray[np.uint8]] = []
    drawn = generator.label_rows(seeds, None if label is None else [label] * len(seeds))
    digits = len(str(len(sweep.values) - 1))
    with _manifest(folder, generator) as manifest:
        for done, (seed, own) in enumerate(zip(seeds, drawn, strict=True), start=1):
            rows = sweep.rows(own)
            texts = [generator.labels.text(row) for row in rows]
            images, masks = generator.sample_pairs([seed] * len(rows), texts, truncation_psi, BATCH)
            for step, (row, image, mask) in enumerate(zip(rows, images, masks, strict=True)):
                file = _write(folder, f"seed{seed:010d}-{step:0{digits}d}", suffix, image, mask)
                about = [_class_of(generator, row), truncation_psi, *attribute_texts(generator.labels, row)]
                manifest.writerow([file, seed, *about])
            if len(pictures) < MOST_ROWS:
                cells = as_8_bits(images[shown], generator.info.window)
                pictures.append(with_contours(cells, masks[shown]) if generator.mask_kinds else cells)
            progress(done, len(seeds))
    names = [f"seed {seed}" for seed in seeds[: len(pictures)]]
    image_grid(pictures, names).save(folder / "grid.png")


def _write(folder: Path, place: str, suffix: str, image: NDArray[Any], mask: NDArray[np.uint8]) -> str:
    """An image's file, and its mask's where there is one, in folders `images` and `masks` then. Returns the image's."""
    path = folder / ("images" if mask.size else "") / f"{place}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(image))
    if mask.size:
        beside = folder / "masks" / f"{place}.png"
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(encode_mask(mask))
    return path.relative_to(folder).as_posix()


@contextmanager
def _manifest(folder: Path, generator: TrainedGenerator) -> Iterator[Any]:
    """The table, with its head."""
    with open(folder / "manifest.csv", "w", newline="", encoding="utf-8") as file:
        manifest = csv.writer(file)
        manifest.writerow([*COLUMNS, *attribute_columns(generator.labels)])
        yield manifest


def _class_of(generator: TrainedGenerator, row: Row) -> str:
    return generator.labels.class_of(row) if row else ""
