"""The real and the synthetic pairs of image and mask."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...config.masks import BESIDE, parse_kinds
from ...config.preparation import Preparation
from ...datasets import ImageDataset, ImageSubset, Pictures, load_dataset
from ...datasets.masks.kinds import ONLY
from ...errors import UserError
from ...files import atomic_path
from ...pictures.masks import MARKED
from ...pixels import as_8_bits, nchw
from ...progress import Progress
from ...sampling import TrainedGenerator
from ...synthetic.plan import SEEDS
from ...training.run_folder import RunFolder
from ...training.run_images import load_other, run_images
from ..real import LabelledImages, without_seen

BATCH = 32


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainTestPairs:
    """train: what the run was trained on. test: what it never saw. kinds: names. refused: (file, why) of test images
    that are left out."""

    train: LabelledImages
    test: LabelledImages
    kinds: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Pairs:
    """images: uint8 [N, C, H, W]; masks: uint8 [N, K, H, W], shares of pixels."""

    images: Pictures
    masks: Pictures

    def __len__(self) -> int:
        return len(self.images)


def pairs_of(chosen: LabelledImages) -> Pairs:
    """The real pairs of some images."""
    assert chosen.dataset.masks is not None
    return Pairs(chosen.pictures, ImageSubset(chosen.dataset.masks, chosen.members))


def open_pairs(
    run: Path, data: str | None, test: str | None, load: Callable[..., ImageDataset] = load_dataset
) -> TrainTestPairs:
    """The pairs that a run was trained on, and those that it held out, or those of `test`, whose masks lie beside their
    images. UserError where there are none, or where they are of other kinds."""
    own = run_images(run, data, load)
    if own.trained_on is None or own.dataset.masks is None:
        raise UserError(f"{run}: its images come without masks, train with `masks`")
    train = _chosen(own.dataset, own.trained_on)
    if test is not None:
        other = load_other(test, _prepared(run, own.dataset), load, needs_masks=True)
        if other.mask_kinds != own.dataset.mask_kinds:
            raise UserError(
                f"`test` {test}: masks of {', '.join(other.mask_kinds)}, the run's are of "
                f"{', '.join(own.dataset.mask_kinds)}"
            )
        tested = _chosen(other, np.arange(len(other)))
    elif own.held_out is None:
        raise UserError(f"{run}: it held out no images to test on, name others by `test`, or train with `holdout` 0.25")
    else:
        tested = _chosen(own.dataset, own.held_out)
    usable, refused = without_seen(tested, train)
    if len(usable) < 2:
        raise UserError(f"there are {len(usable)} test images ({len(refused)} were refused): give others by `test`")
    check_marked(usable)
    return TrainTestPairs(train=train, test=usable, kinds=own.dataset.mask_kinds, refused=refused)


def check_marked(test: LabelledImages) -> None:
    """Raises UserError unless a test image is marked."""
    if not test.labels.any():
        raise UserError("no test image is marked, so there is nothing to find: give others by `test`")


def _prepared(run: Path, dataset: ImageDataset) -> Preparation:
    folder = RunFolder(run)
    prepared = folder.read_config().data.preparation if folder.is_run() else Preparation()
    channels, height, width = dataset.image_shape
    found = dataset.mask_kinds != (ONLY,) and not prepared.mask_kinds  # as in the run, also where one does not occur
    return replace(
        prepared,
        mask_kinds=parse_kinds(",".join(dataset.mask_kinds)) if found else prepared.mask_kinds,
        size=(height, width),
        channels=channels,
        beyond_8_bits=dataset.window is not None,
        window=dataset.window,
        use_labels=False,
        attributes=(),
        split_names=None,
        split=None,
        masks=BESIDE,
    )


def _chosen(dataset: ImageDataset, members: NDArray[np.int64]) -> LabelledImages:
    """label: 1 for images that are marked, of which validation shall have its share, too."""
    assert dataset.masks is not None
    marked = [bool((dataset.masks[index] >= MARKED).any()) for index in members]
    return LabelledImages(dataset=dataset, members=members, labels=np.array(marked, np.int64))


def synthetic_pairs(
    generator: TrainedGenerator,
    count: int,
    truncation_psi: float,
    seed: int,
    folder: Path,
    progress: Progress | None = None,
) -> Pairs:
    """`count` generated pairs, with labels in the training set's shares, kept in `folder`; what is there is not made
    again."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "images.npy", folder / "masks.npy"
    if not all(path.exists() for path in paths):
        channels, height, width = generator.image_shape
        depths = channels, len(generator.mask_kinds)
        with _whole_file(paths[0]) as images, _whole_file(paths[1]) as masks:
            for file, depth in zip((images, masks), depths, strict=True):
                header = {"descr": "|u1", "fortran_order": False, "shape": (count, depth, height, width)}
                np.lib.format.write_array_header_1_0(file, header)
            for first in range(0, count, BATCH):
                seeds = range(seed * SEEDS + first, seed * SEEDS + min(first + BATCH, count))
                made, shares = generator.sample_pairs(seeds, None, truncation_psi)
                images.write(nchw(as_8_bits(made, generator.info.window)).tobytes())
                masks.write(nchw(shares).tobytes())
                if progress is not None:
                    progress(min(first + BATCH, count), count)
    found = [np.lib.format.open_memmap(path, mode="r") for path in paths]
    return Pairs(found[0], found[1])


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        yield file
