"""The synthetic images of all arms, made or read once, judged once, kept on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..datasets import ImageDataset
from ..errors import UserError
from ..files import atomic_path
from ..metrics.networks.extractor import Extractor
from ..pixels import nchw, nhwc
from ..progress import Progress
from ..sampling import TrainedGenerator
from ..synthetic.filters import Filters, Judgement, accept_all
from ..synthetic.plan import BLOCK, block_seeds
from ..synthetic.selection import Selection
from .real import numbered
from .target import Target


class SyntheticSource(Protocol):
    """A source of synthetic images, in blocks of at most 32 of a class."""

    def available(self, label: int) -> int | None:
        """The number of images of a class, None for no limit."""
        ...

    def block(self, label: int, block: int) -> NDArray[np.uint8]:
        """uint8 [n, H, W, C]"""
        ...

    def name(self, label: int, place: int) -> str:
        """The name of an image of a class, for people."""
        ...


class GeneratorSource:
    """The images that a generator makes: the candidates of `generate dataset` with this seed and truncation_psi."""

    def __init__(self, generator: TrainedGenerator, labels: Sequence[str], seed: int, truncation_psi: float):
        """labels: what to ask the generator for, for each class."""
        self._generator, self._labels, self._seed, self._truncation_psi = generator, labels, seed, truncation_psi

    def available(self, label: int) -> int | None:
        return None

    def block(self, label: int, block: int) -> NDArray[np.uint8]:
        seeds = block_seeds(self._seed, len(self._labels), label, block)
        labels = [self._labels[label]] * BLOCK
        return self._generator.sample_uint8(seeds, labels, self._truncation_psi, batch_size=BLOCK)

    def name(self, label: int, place: int) -> str:
        seeds = block_seeds(self._seed, len(self._labels), label, place // BLOCK)
        return f"seed {seeds[place % BLOCK]} of {self._labels[label]}"


class DatasetSource:
    """A set on disk. UserError if it has a class that the target has not."""

    def __init__(self, dataset: ImageDataset, target: Target, place: str):
        what = f"`synthetic` {place}"
        dataset = target.of_dataset(dataset, what)
        labels = numbered(dataset, target.classes, what)
        self.fingerprint = dataset.fingerprint
        self._dataset = dataset
        self._members = [np.flatnonzero(labels == label) for label in range(len(target.classes))]

    def available(self, label: int) -> int | None:
        return len(self._members[label])

    def block(self, label: int, block: int) -> NDArray[np.uint8]:
        return nhwc(self._dataset.images[self._members[label][block * BLOCK : (block + 1) * BLOCK]])

    def name(self, label: int, place: int) -> str:
        return self._dataset.names[self._members[label][place]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pool:
    """Synthetic images, class after class. images: uint8 [N, C, H, W], a memory map. labels: int64 [N]. accepted:
    bool [N], whether the filters keep them. features: float32 [N, D], None where no network was given."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    features: NDArray[np.float32] | None

    def take(self, counts: NDArray[np.int64], filtered: bool, seed: int) -> NDArray[np.int64]:
        """Places of as many random images of each class as `counts` [C] says, or as there are; if `filtered`, only
        those of them that the filters keep."""
        rng = np.random.default_rng([seed, 13])
        chosen = []
        for label, count in enumerate(counts):
            own = rng.permutation(np.flatnonzero(self.labels == label))[:count]
            chosen.append(own[self.accepted[own]] if filtered else own)
        return np.sort(np.concatenate(chosen))


def make_pool(
    source: SyntheticSource,
    counts: NDArray[np.int64],
    filters: Filters | None,
    extractor: Extractor | None,
    folder: Path,
    progress: Progress | None = None,
) -> Pool:
    """`counts` [C] images of each class, or as many as there are. What is in `folder` already is not made again.

    extractor: gives features; where there are filters it is theirs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    available = [source.available(label) for label in range(len(counts))]
    wanted = [int(c if most is None else min(c, most)) for c, most in zip(counts, available, strict=True)]
    keys = [(label, block) for label, count in enumerate(wanted) for block in range(-(-count // BLOCK))]
    if not keys:
        raise UserError("there are no synthetic images of the classes that are to be classified")
    for done, (label, block) in enumerate(keys, start=1):
        path = _block_file(folder, label, block)
        if not path.exists():
            _write_block(path, source.block(label, block), label, filters, extractor)
        if progress is not None:
            progress(done, len(keys))
    return _gathered(folder, wanted, filters)


def _block_file(folder: Path, label: int, block: int) -> Path:
    return folder / f"class{label:04d}-block{block:06d}.npz"


def _write_block(
    path: Path, images: NDArray[np.uint8], label: int, filters: Filters | None, extractor: Extractor | None
) -> None:
    judgement = accept_all(len(images)) if filters is None else filters.judge(images, label)
    features = judgement.features
    if extractor is not None and not features.shape[1]:
        features = extractor.features(extractor.extract([images]))
    with atomic_path(path) as temporary:
        np.savez(
            temporary,
            images=nchw(images),
            verdicts=judgement.verdicts,
            features=features,
            thumbnails=judgement.thumbnails,
        )


def _gathered(folder: Path, wanted: list[int], filters: Filters | None) -> Pool:
    """The blocks as one set, the images in a file beside them."""
    duplicates = None if filters is None else filters.duplicates
    labels, accepted, features = [], [], []
    with np.load(_first_block(folder, wanted)) as arrays:
        shape, with_features = arrays["images"].shape[1:], arrays["features"].shape[1] > 0
    # not by a memory map, in which a full disk would be a SIGBUS
    with atomic_path(folder / "images.npy") as temporary, open(temporary, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (sum(wanted), *shape)}
        np.lib.format.write_array_header_1_0(file, header)
        for label, count in enumerate(wanted):
            selection, kept = Selection(count, duplicates), np.zeros(count, bool)
            for block in range(-(-count // BLOCK)):
                with np.load(_block_file(folder, label, block)) as arrays:
                    size = min(count - block * BLOCK, len(arrays["images"]))
                    file.write(arrays["images"][:size].tobytes())
                    features.append(arrays["features"][:size])
                    judgement = Judgement(
                        verdicts=arrays["verdicts"][:size],
                        features=arrays["features"][:size],
                        thumbnails=arrays["thumbnails"][:size],
                    )
                selection.add(judgement)
            kept[[chosen.block * BLOCK + chosen.position for chosen in selection.chosen]] = True
            labels.append(np.full(count, label))
            accepted.append(kept)
    return Pool(
        images=np.lib.format.open_memmap(folder / "images.npy", mode="r"),
        labels=np.concatenate(labels),
        accepted=np.concatenate(accepted),
        features=np.concatenate(features) if with_features else None,
    )


def _first_block(folder: Path, wanted: list[int]) -> Path:
    return _block_file(folder, next(label for label, count in enumerate(wanted) if count), 0)
