"""The table's figures: metrics of stored images against a whole set, of which a part was trained on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.metrics import make_extractor
from stylegan_ada.metrics.evaluate import RealImages, compute_generated, compute_real
from stylegan_ada.metrics.table import measure

from .pictures import Made

FEATURES = ("lite0", "vgg")
METRICS = ("fid", "kid", "precision", "recall", "density", "coverage", "inception_score", "label_accuracy")


def figures(dataset: ImageDataset, trained_on: np.ndarray, made: Sequence[Made]) -> list[dict[str, float | None]]:
    """For each model's images, metrics as FEATURES/METRIC, and pixel statistics as ratios to the real ones.

    dataset: the whole set, all of which is compared with, and labels are read by. trained_on: indices of what the
    models learned from; the others, if there are any, are the unseen images that copies are told by.
    """
    everything = np.arange(len(dataset))
    others = np.setdiff1d(everything, trained_on)
    whole = RealImages(dataset=dataset, reference=everything)
    seen = RealImages(
        dataset=dataset, reference=everything, trained_on=trained_on, held_out=others if len(others) else None
    )
    rows: list[dict[str, float | None]] = [
        {"seconds_1": one.seconds_1, "seconds_32": one.seconds_32, "mebibytes": one.mebibytes} for one in made
    ]
    for name in FEATURES:
        extractor = make_extractor(name, image_size=dataset.image_shape[1:])
        real, real_seen = compute_real(whole, extractor), compute_real(seen, extractor)
        for row, one in zip(rows, made, strict=True):
            found = compute_generated(one, real, extractor, len(one.images))
            results = measure(found, METRICS, resamples=0)[0]
            results |= measure(replace(found, real=real_seen), ("copies",), resamples=0)[0]
            row |= {f"{name}/{metric}": result.value for metric, result in results.items()}
            row |= {f"pixels/{what}": figure.ratio for what, figure in found.pixel_figures.items()}
    return rows
