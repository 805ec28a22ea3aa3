"""All arms and seeds: a U-Net trained for each, what it marks on the test images kept on disk."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...classifiers.small_cnn import Batches
from ...classifiers.unet import MaskPredictor, batch_of
from ...files import atomic_path
from ...pictures.masks import MARKED
from ...pixels import nchw, nhwc
from ...progress import Progress
from ..arms import Arm, best_arms, first_arms
from ..classic import pair_augmenter
from ..validation import draw_fit_and_validation
from .overlap import Overlap, overlap_of
from .pairs import Pairs, TrainTestPairs, pairs_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """A U-Net that was trained and tested. marked: bool [n, K, H, W], on the test images. validation: its Dice there.
    real, synthetic: pairs that it learned from."""

    marked: NDArray[np.bool_]
    validation: float
    real: int
    synthetic: int
    seconds: float


@dataclass(frozen=True, eq=False, kw_only=True)
class ArmTrials:
    """All seeds of an arm."""

    arm: Arm
    trials: Sequence[Trial]

    @property
    def validation(self) -> float:
        return float(np.mean([trial.validation for trial in self.trials]))

    def overlaps(self, true: NDArray[np.bool_]) -> list[Overlap]:
        """By seed. true: bool [n, K, H, W], the test images' masks."""
        return [overlap_of(trial.marked, true) for trial in self.trials]


@dataclass(frozen=True, eq=False, kw_only=True)
class Experiment:
    """pipeline: classic augmentation's, an albumentations.Compose. folder: where trials are kept."""

    real: TrainTestPairs
    synthetic: Pairs
    pipeline: Any
    kinds: tuple[str, ...]
    ratios: tuple[float, ...]
    seeds: int
    device: torch.device
    folder: Path


def run_experiment(experiment: Experiment, progress: Progress | None = None) -> list[ArmTrials]:
    """Trains what is missing. Arms at the best ratio come after the others, on whose validation scores they depend."""
    experiment.folder.mkdir(parents=True, exist_ok=True)
    arms = first_arms(experiment.kinds, experiment.ratios)
    total = experiment.seeds * (len(arms) + len({"combined", "alone"} & set(experiment.kinds)))
    done = 0

    def all_seeds(arm: Arm) -> ArmTrials:
        nonlocal done
        trials = []
        for seed in range(experiment.seeds):
            trials.append(_trial(experiment, arm, seed))
            done += 1
            if progress is not None:
                progress(done, total)
        return ArmTrials(arm=arm, trials=trials)

    first = [all_seeds(arm) for arm in arms]
    best = best_arms(experiment.kinds, {one.arm: one.validation for one in first})
    return first + [all_seeds(arm) for arm in best]


def _trial(experiment: Experiment, arm: Arm, seed: int) -> Trial:
    """Returns the trial that was kept, or a new one, which is then kept."""
    path = experiment.folder / f"{arm.name.replace(' + ', '_').replace(' ', '-')}-seed{seed}.npz"
    test = pairs_of(experiment.real.test)
    shape = (len(test), len(experiment.real.kinds), *test.masks[:1].shape[2:])
    if not path.exists():
        split = draw_fit_and_validation(experiment.real.train, 1.0, seed)
        fit = split.fit if arm.real else split.fit[:0]
        chosen = np.random.default_rng([seed, 13]).permutation(len(experiment.synthetic))
        chosen = np.sort(chosen[: round(arm.ratio * len(split.fit))])
        start = time.perf_counter()
        held = pairs_of(experiment.real.train)
        validation = held.images[split.validation], held.masks[split.validation]
        model = MaskPredictor(_batches(experiment, arm, fit, chosen, seed), validation, seed, experiment.device)
        with atomic_path(path) as temporary:
            np.savez(
                temporary,
                marked=np.packbits(model.marked(test.images)),
                validation=model.validation,
                real=len(fit),
                synthetic=len(chosen),
                seconds=time.perf_counter() - start,
            )
    with np.load(path) as arrays:
        numbers = {name: arrays[name].item() for name in ("validation", "real", "synthetic", "seconds")}
        bits = np.unpackbits(arrays["marked"], count=int(np.prod(shape)))
    return Trial(marked=bits.reshape(shape).astype(bool), **numbers)


def _batches(
    experiment: Experiment, arm: Arm, fit: NDArray[np.int64], chosen: NDArray[np.int64], seed: int
) -> Batches[NDArray[np.uint8]]:
    real, made = pairs_of(experiment.real.train), experiment.synthetic
    augment = pair_augmenter(experiment.pipeline, seed) if arm.classic else None

    def take(places: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        own = places < len(fit)
        of_real, of_made = fit[places[own]], chosen[places[~own] - len(fit)]
        images = np.concatenate([real.images[of_real], made.images[of_made]])
        masks = np.concatenate([real.masks[of_real], made.masks[of_made]])
        if augment is None:
            return images, masks
        changed = augment(np.ascontiguousarray(nhwc(images)), np.ascontiguousarray(nhwc(masks)))
        return np.ascontiguousarray(nchw(changed[0])), np.ascontiguousarray(nchw(changed[1]))

    return Batches(len(fit) + len(chosen), take, seed, batch_of(made.images[:1].shape))


def true_masks(test: Pairs) -> NDArray[np.bool_]:
    """bool [n, K, H, W]"""
    return np.asarray(test.masks[:]) >= MARKED
