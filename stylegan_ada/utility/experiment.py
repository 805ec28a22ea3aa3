"""All arms, seeds, fractions and classifiers: each trained once, its predictions kept on disk."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..classifiers.scores import balanced_accuracy
from ..classifiers.small_cnn import Batches, ImageClassifier
from ..datasets import ImageSubset
from ..files import atomic_path
from ..pixels import nchw, nhwc
from ..progress import Progress
from .arms import Arm, best_arms, first_arms, synthetic_counts
from .classic import augmenter
from .linear import LinearClassifier
from .pool import Pool
from .real import LabelledImages, TrainTestImages
from .validation import FitAndValidation, draw_fit_and_validation

CLASSIFIERS = ("linear", "cnn")
COPIES = 3  # that classic augmentation makes of each real image for the linear classifier


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainTestFeatures:
    """float32 [n, D]. copies: of the augmented training images, [COPIES, n, D], None where no arm asks for them."""

    train: NDArray[np.float32]
    test: NDArray[np.float32]
    copies: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Experiment:
    """The parts of an experiment. features: None without the linear classifier. pipeline: classic augmentation's, an
    albumentations.Compose. folder: where predictions are kept; those that are there are not computed again."""

    real: TrainTestImages
    pool: Pool
    features: TrainTestFeatures | None
    pipeline: Any
    kinds: tuple[str, ...]
    ratios: tuple[float, ...]
    classifiers: tuple[str, ...]
    fractions: tuple[float, ...]
    seeds: int
    balance: bool
    device: torch.device
    folder: Path


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """A classifier that was trained and tested. probabilities: float32 [test images, C]. validation: its balanced
    accuracy there. real, synthetic: images that it learned from; given: real ones, those of validation too."""

    probabilities: NDArray[np.float32]
    validation: float
    real: int
    synthetic: int
    given: int
    seconds: float


@dataclass(frozen=True, eq=False, kw_only=True)
class ArmTrials:
    """All seeds of an arm, for a classifier and a fraction of the real images."""

    classifier: str
    fraction: float
    arm: Arm
    trials: list[Trial] = field(default_factory=list)

    @property
    def validation(self) -> float:
        return float(np.mean([trial.validation for trial in self.trials]))


def run_experiment(experiment: Experiment, progress: Progress | None = None) -> list[ArmTrials]:
    """Trains what is missing. Arms at the best ratio come after the others, on whose validation scores they depend."""
    experiment.folder.mkdir(parents=True, exist_ok=True)
    arms = first_arms(experiment.kinds, experiment.ratios)
    later = len({"combined", "alone"} & set(experiment.kinds))
    total = len(experiment.classifiers) * len(experiment.fractions) * experiment.seeds * (len(arms) + later)
    done, found = 0, []

    def all_seeds(classifier: str, fraction: float, arm: Arm) -> ArmTrials:
        nonlocal done
        trials = ArmTrials(classifier=classifier, fraction=fraction, arm=arm)
        for seed in range(experiment.seeds):
            trials.trials.append(_trial(experiment, classifier, fraction, seed, arm))
            done += 1
            if progress is not None:
                progress(done, total)
        return trials

    for classifier in experiment.classifiers:
        for fraction in experiment.fractions:
            first = [all_seeds(classifier, fraction, arm) for arm in arms]
            best = best_arms(experiment.kinds, {trials.arm: trials.validation for trials in first})
            found += first + [all_seeds(classifier, fraction, arm) for arm in best]
    return found


def _trial(experiment: Experiment, classifier: str, fraction: float, seed: int, arm: Arm) -> Trial:
    """Returns the trial that was kept, or a new one, which is then kept."""
    slug = arm.name.replace(" + ", "_").replace(", ", "-").replace(" ", "-")
    path = experiment.folder / f"{classifier}-{fraction:g}-seed{seed}-{slug}.npz"
    if path.exists():
        with np.load(path) as arrays:
            numbers = {name: arrays[name].item() for name in ("validation", "real", "synthetic", "given", "seconds")}
            return Trial(probabilities=arrays["probabilities"], **numbers)
    split = draw_fit_and_validation(experiment.real.train, fraction, seed)
    labels = experiment.real.train.labels
    real_counts = np.bincount(labels[split.fit], minlength=len(experiment.real.classes))
    counts = synthetic_counts(real_counts, arm.ratio, experiment.balance)
    synthetic = experiment.pool.take(counts, arm.filtered, seed)
    fit = split.fit if arm.real else split.fit[:0]
    start = time.perf_counter()
    shown = np.unique(np.concatenate([labels[fit], experiment.pool.labels[synthetic]]))
    if len(shown) < 2:
        validation, probabilities = _constant(experiment, shown, split)
    else:
        train = _linear if classifier == "linear" else _network
        validation, probabilities = train(experiment, arm, fit, synthetic, split, seed)
    trial = Trial(
        probabilities=probabilities,
        validation=validation,
        real=len(fit),
        synthetic=len(synthetic),
        given=len(split.fit) + len(split.validation),
        seconds=time.perf_counter() - start,
    )
    with atomic_path(path) as temporary:
        np.savez(temporary, **vars(trial))
    return trial


def _constant(
    experiment: Experiment, shown: NDArray[np.int64], split: FitAndValidation
) -> tuple[float, NDArray[np.float32]]:
    """Validation accuracy and probabilities if a strict filter left a single class, which is always named, or no
    image."""
    classes = len(experiment.real.classes)
    row = np.isin(np.arange(classes), shown).astype(np.float32) if len(shown) else np.full(classes, 1 / classes)
    held = experiment.real.train.labels[split.validation]
    right = balanced_accuracy(np.full(len(held), row.argmax()), held)
    return right, np.tile(row.astype(np.float32), (len(experiment.real.test), 1))


def _linear(
    experiment: Experiment,
    arm: Arm,
    fit: NDArray[np.int64],
    synthetic: NDArray[np.int64],
    split: FitAndValidation,
    seed: int,
) -> tuple[float, NDArray[np.float32]]:
    features, pool, labels = experiment.features, experiment.pool, experiment.real.train.labels
    assert features is not None
    assert pool.features is not None
    rows, own = [features.train[fit], pool.features[synthetic]], [labels[fit], pool.labels[synthetic]]
    if arm.classic:
        assert features.copies is not None
        for copy in features.copies:
            rows.append(copy[fit])
            own.append(labels[fit])
    held = features.train[split.validation], labels[split.validation]
    model = LinearClassifier(np.concatenate(rows), np.concatenate(own), held, len(experiment.real.classes))
    return model.validation, model.probabilities(features.test)


def _network(
    experiment: Experiment,
    arm: Arm,
    fit: NDArray[np.int64],
    synthetic: NDArray[np.int64],
    split: FitAndValidation,
    seed: int,
) -> tuple[float, NDArray[np.float32]]:
    train, pool = experiment.real.train, experiment.pool
    labels = np.concatenate([train.labels[fit], pool.labels[synthetic]])
    augment = augmenter(experiment.pipeline, seed) if arm.classic else None
    real, made = ImageSubset(train.pictures, fit), ImageSubset(pool.images, synthetic)

    def take(places: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        own = places < len(fit)
        images = np.concatenate([real[places[own]], made[places[~own] - len(fit)]])
        if augment is not None:
            images = np.ascontiguousarray(nchw(augment(np.ascontiguousarray(nhwc(images)))))
        return images, np.concatenate([labels[places[own]], labels[places[~own]]])

    counts = np.bincount(labels, minlength=len(experiment.real.classes))
    weights = np.divide(len(labels) / (counts > 0).sum(), counts, out=np.zeros(len(counts)), where=counts > 0)
    held = ImageSubset(train.pictures, split.validation), train.labels[split.validation]
    batches = Batches(len(labels), take, seed)
    model = ImageClassifier(batches, weights, held, seed, experiment.device)
    return model.validation, model.probabilities(experiment.real.test.pictures)


def augmented_batches(train: LabelledImages, pipeline: Any, seed: int, size: int = 64) -> Iterator[NDArray[np.uint8]]:
    """Every training image, augmented: uint8 [n, H, W, C] at a time."""
    augment = augmenter(pipeline, seed)
    for start in range(0, len(train), size):
        yield augment(np.ascontiguousarray(nhwc(train.pictures[start : start + size])))


def largest_counts(
    train: LabelledImages, classes: int, ratios: Sequence[float], fractions: Sequence[float], balance: bool
) -> NDArray[np.int64]:
    """[C]: how many synthetic images of each class all arms can do with."""
    fit = draw_fit_and_validation(train, max(fractions), 0).fit
    return synthetic_counts(np.bincount(train.labels[fit], minlength=classes), max(ratios), balance)
