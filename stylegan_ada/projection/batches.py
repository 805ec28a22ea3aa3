"""Projecting many image files: in batches, shared by processes, each result written when it is found."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import distributed
from ..errors import UserError
from ..files import atomic_path
from ..pictures.grids import image_grid
from ..pictures.masks import mask_picture
from ..progress import Progress
from .folder import Record, ResultFolder
from .inputs import InputImage, Inputs
from .latents import Latents, digest, save_latents
from .projector import Projection, Projector
from .tuning import save_deltas

DIFFERENCE_GAIN = 2


@dataclass(frozen=True, eq=False)
class InputBatch:
    """Images of which all labels are known, or none is."""

    items: tuple[InputImage, ...]
    images: NDArray[np.uint8]  # [N, H, W, C]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(item.label for item in self.items if item.label)


@dataclass(frozen=True)
class Done:
    """count: images that this process projected. failed: those that it could not write, with the reason."""

    count: int
    failed: list[tuple[InputImage, str]]


def make_batches(inputs: Inputs, size: int) -> list[InputBatch]:
    """Batches of `size`, less those that could not be read.

    Those do not move the others to another batch: results stay the same to the byte when a file is repaired.
    """
    batches = []
    for group in ([item for item in inputs.items if item.label], [item for item in inputs.items if not item.label]):
        for first in range(0, len(group), size):
            part = tuple(item for item in group[first : first + size] if item.name in inputs.images)
            if part:
                batches.append(InputBatch(part, np.stack([inputs.images[item.name] for item in part])))
    return batches


def project_batches(
    projector: Projector,
    batches: Sequence[InputBatch],
    mask: NDArray[np.floating] | None,
    folder: ResultFolder,
    progress: Progress | None = None,
) -> Done:
    """Projects what is not done yet and writes it to `folder`.

    Under torchrun each process takes a share of the batches. A batch that was interrupted is done again as a whole, as
    rounding depends on its size.
    """
    missing = [batch for batch in batches if not all(_is_done(projector, folder, *pair) for pair in _pairs(batch))]
    mine = missing[distributed.rank() :: distributed.world_size()]
    total, done = sum(len(batch.items) for batch in mine), 0
    failed: list[tuple[InputImage, str]] = []
    for batch in mine:
        found = projector(batch.images, batch.labels, mask)
        for index, (item, image) in enumerate(_pairs(batch)):
            try:
                _write(projector, folder, item, image, found, index)
            except UserError as error:
                failed.append((item, str(error)))
        done += len(batch.items)
        if progress is not None:
            progress(done, total)
    return Done(total, failed)


def side_by_side(target: NDArray[np.uint8], found: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[3, H, W, C]: target, reconstruction, and their difference, twice as strong, round mid-gray."""
    difference = 128 + DIFFERENCE_GAIN * (found.astype(np.int64) - target)
    return np.stack([target, found, difference.clip(0, 255).astype(np.uint8)])


def _pairs(batch: InputBatch) -> Iterator[tuple[InputImage, NDArray[np.uint8]]]:
    return zip(batch.items, batch.images, strict=True)


def _is_done(projector: Projector, folder: ResultFolder, item: InputImage, image: NDArray[np.uint8]) -> bool:
    record = folder.read(item.name)
    # a table may have another label by now
    whole = record is not None and record.pixels == _pixel_digest(image) and item.label in ("", record.label)
    files = folder.files(item.name, projector.tune)
    if projector.generator.mask_kinds:
        files.append(folder.mask_file(item.name))
    return whole and all(path.exists() for path in files)


def _write(
    projector: Projector,
    folder: ResultFolder,
    item: InputImage,
    target: NDArray[np.uint8],
    found: Projection,
    index: int,
) -> None:
    generator, one = projector.generator, slice(index, index + 1)
    picture, latent, *tuning = folder.files(item.name, projector.tune)
    with atomic_path(picture) as temporary:
        image_grid([side_by_side(target, found.images[index])]).save(temporary)
    latents = Latents(found.w[one], found.noise[one], found.labels[one], projector.space, digest(generator))
    save_latents(latent, latents)
    if found.masks.size:
        mask = folder.mask_file(item.name)
        mask.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(mask) as temporary:
            mask_picture(found.masks[index]).save(temporary)
    for path in tuning:
        save_deltas(path, found.deltas[index], generator)
    record = Record(
        file=str(item.file),
        label=found.labels[index] if found.labels else "",
        pixels=_pixel_digest(target),
        perceptual=float(found.distances[index]),
        untuned=float(found.untuned_distances[index]),
        psnr=float(found.psnr[index]),
        ssim=float(found.ssim[index]),
    )
    folder.write(item.name, record)


def _pixel_digest(image: NDArray[np.uint8]) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()[:16]
