"""GAN-test and GAN-train (Shmelkov et al. 2018, arXiv 1807.09499): small networks that learn from real or from
generated images alone, and name the labels of the others. None of them was trained on anything else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..classifiers.judge import Judge, flat_targets
from ..datasets.holdout.random_share import hold_out, pooled
from ..labels.attribute import Attribute
from .mathematics.attribute_targets import Agreement, agreements_of, sizes_of, targets_of

TEST = 0.2  # of the real images, where none are held out
SEED = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelledPictures:
    """images: uint8 [n, C, h, w]. labels: int64 [n]. groups: what each image belongs to. vectors: float32 [n, c_dim],
    where labels are attributes."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    groups: Sequence[str] | None = None
    vectors: NDArray[np.float32] | None = None

    def __getitem__(self, places: NDArray[np.int64]) -> "LabelledPictures":
        groups = None if self.groups is None else [self.groups[place] for place in places]
        vectors = None if self.vectors is None else self.vectors[places]
        return LabelledPictures(images=self.images[places], labels=self.labels[places], groups=groups, vectors=vectors)


@dataclass(frozen=True, eq=False, kw_only=True)
class RealPictures:
    """Small real images. training: those that may be learned from. held_out: others, None where there are none."""

    training: LabelledPictures
    held_out: LabelledPictures | None
    classes: int
    device: torch.device
    attributes: tuple[Attribute, ...] = ()

    def judge_of(self, pictures: LabelledPictures) -> Judge:
        """A network that learned from these pictures alone. ValueError for too few, or fewer than two classes."""
        if not self.attributes and len(np.unique(pictures.labels)) < 2:
            raise ValueError("a classifier needs two classes or more")
        sizes = sizes_of(self.attributes) if self.attributes else (self.classes,)
        vectors = pictures.vectors
        targets = flat_targets(pictures.labels) if vectors is None else targets_of(self.attributes, vectors)
        return Judge(pictures.images, targets, sizes, SEED, self.device, pictures.groups)


@dataclass(frozen=True, eq=False, kw_only=True)
class RealJudge:
    """A network that learned from real images. test: real images that it had not seen. unseen: what these are, in
    words."""

    judge: Judge
    test: LabelledPictures
    unseen: str


def real_judge(real: RealPictures) -> RealJudge:
    """Learns from all training images, where others are held out, else from four fifths of them, to be tested on the
    rest. ValueError as in `RealPictures.judge_of`, or for too few images to leave any for a test."""
    learned, test, unseen = real.training, real.held_out, "held-out images"
    if test is None:
        order = np.random.default_rng([SEED, 17]).permutation(len(learned.labels))
        labels = learned.labels if learned.vectors is None else pooled(learned.labels, TEST)
        places = hold_out(order, labels, learned.groups, TEST)
        if not len(places):
            raise ValueError("too few real images to leave some for a test")
        unseen = f"{len(places)} images left out for that"
        learned, test = learned[np.setdiff1d(order, places)], learned[places]
    return RealJudge(judge=real.judge_of(learned), test=test, unseen=unseen)


def right(judge: Judge, pictures: LabelledPictures) -> NDArray[np.float64]:
    """[n]: 0 for an image whose label the judge does not name, else a weight. The mean is the balanced accuracy."""
    classes, places, counts = np.unique(pictures.labels, return_inverse=True, return_counts=True)
    correct = judge.predict(pictures.images).choices[:, 0] == pictures.labels
    return correct * len(correct) / (len(classes) * counts[places])


def agreements(real: RealPictures, judge: Judge, pictures: LabelledPictures) -> list[Agreement]:
    """How well the judge reads each attribute of labelled pictures."""
    assert pictures.vectors is not None
    return agreements_of(real.attributes, judge.predict(pictures.images), targets_of(real.attributes, pictures.vectors))
