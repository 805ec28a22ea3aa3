"""Masks that a generator makes, against real ones: what they look like, and whether they fit their images."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..classifiers.scores import iou
from ..classifiers.small_cnn import Batches
from ..classifiers.unet import MaskPredictor, batch_of
from ..datasets.holdout.random_share import hold_out
from ..errors import UserError
from ..pictures.masks import MARKED
from ..pixels import nchw
from ..sampling import TrainedGenerator
from .evaluate import RealImages
from .mathematics.mask_shapes import MaskShapes, mask_shapes

SHARE = 0.2  # of the real pairs: to stop early by, and to test on where none are held out
FEWEST = 10  # real pairs that a network can learn from
SEED = 0


@dataclass(frozen=True, kw_only=True)
class KindFigures:
    """generated, real: what masks look like. iou_generated, iou_real: from 0 to 1, of a U-Net that learned from real
    pairs, on generated pairs and on real ones that it had not seen; NaN for a kind that neither has."""

    name: str
    generated: MaskShapes
    real: MaskShapes
    iou_generated: float
    iou_real: float


@dataclass(frozen=True, kw_only=True)
class MaskFigures:
    """count: generated pairs. tested: real pairs that the U-Net is tested on, `unseen` if the generator had not seen
    them either."""

    kinds: tuple[KindFigures, ...]
    count: int
    tested: int
    unseen: bool


def mask_figures(
    generator: TrainedGenerator, real: RealImages, count: int, device: torch.device, seed: int = 0
) -> MaskFigures:
    """Of `count` pairs, those of the generator's seeds seed * count ... seed * count + count - 1. UserError where the
    real images come without masks, or too few."""
    masks = real.dataset.masks
    if masks is None or real.dataset.mask_kinds != generator.mask_kinds:
        raise UserError("the real images have no masks of the generator's kinds: name those that it was trained on")
    images, shares = map(nchw, generator.shown_pairs(range(seed * count, (seed + 1) * count)))
    learned = real.reference if real.trained_on is None else real.trained_on
    marks = np.asarray((masks >= MARKED).any(axis=(1, 2, 3)), np.int64)
    fit, validation, test = _parts(real, learned, marks)
    unseen = real.held_out is not None and len(real.held_out) > 0
    test = real.held_out if unseen and real.held_out is not None else test

    def take(places: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return real.dataset.images[fit[places]], masks[fit[places]]

    held = real.dataset.images[validation], masks[validation]
    size = batch_of(real.dataset.image_shape)
    model = MaskPredictor(Batches(len(fit), take, SEED, size), held, SEED, device)
    on_generated = iou(model.marked(np.ascontiguousarray(images)), shares >= MARKED)
    on_real = iou(model.marked(real.dataset.images[test]), masks[test] >= MARKED)
    true = masks[real.reference] >= MARKED
    return MaskFigures(
        kinds=tuple(
            KindFigures(
                name=name,
                generated=mask_shapes(shares[:, index] >= MARKED),
                real=mask_shapes(true[:, index]),
                iou_generated=float(on_generated[index]),
                iou_real=float(on_real[index]),
            )
            for index, name in enumerate(generator.mask_kinds)
        ),
        count=count,
        tested=len(test),
        unseen=unseen,
    )


def mask_figures_or_why_not(
    generator: TrainedGenerator, real: RealImages, count: int, device: torch.device
) -> tuple[MaskFigures | None, str]:
    """The figures, or None and why there are none, for those who have others to tell."""
    try:
        return mask_figures(generator, real, count, device), ""
    except UserError as error:
        return None, str(error)


def _parts(
    real: RealImages, learned: NDArray[np.int64], marks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The real pairs to learn from, to stop early by, and to test on; whole groups lie in one part. marks: of each
    image of the set 1 where it is marked, of which each part has its share. UserError where they are too few."""
    if len(learned) < FEWEST:
        raise UserError(f"{len(learned)} real pairs: at least {FEWEST} are needed for a network to learn masks")
    groups = real.dataset.groups
    order = np.random.default_rng(SEED).permutation(learned)
    test = hold_out(order, marks, groups, SHARE)
    rest = order[~np.isin(order, test)]
    validation = hold_out(rest, marks, groups, SHARE)
    parts = rest[~np.isin(rest, validation)], validation, test
    if not all(marks[part].any() for part in parts):
        raise UserError("too few real pairs, or too few groups of them, are marked for a network to learn masks")
    return parts
