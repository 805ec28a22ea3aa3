"""The scores of a classifier's predictions on test images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10  # of confidence

Probabilities = NDArray[np.float32]  # [n, C], rows sum to 1
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores:
    """Scores over the classes that have test images. recall: [C], NaN for a class that has none. Shares from 0 to 1.

    auroc: the mean over classes of one class against the rest, NaN where there is only one. calibration_error: the
    expected one (arXiv 1706.04599, equation 3) over 10 bins of the highest probability. confusion: [C, C], true classes
    by row.
    """

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    auroc: float
    calibration_error: float
    recall: NDArray[np.float64]
    confusion: NDArray[np.int64]


def scores_of(probabilities: Probabilities, labels: Labels) -> Scores:
    """probabilities [n, C] for true labels [n]."""
    from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score

    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, labels=range(classes))
    present = np.unique(labels)
    counts = confusion.sum(axis=1)
    recall = np.divide(np.diag(confusion), counts, out=np.full(classes, np.nan), where=counts > 0)
    areas = [roc_auc_score(labels == label, probabilities[:, label]) for label in present if len(present) > 1]
    return Scores(
        accuracy=float((predicted == labels).mean()),
        balanced_accuracy=balanced_accuracy(predicted, labels),
        macro_f1=float(f1_score(labels, predicted, labels=present, average="macro", zero_division=0)),
        auroc=float(np.mean(areas)) if areas else float("nan"),
        calibration_error=_calibration_error(probabilities, labels),
        recall=recall,
        confusion=confusion,
    )


def _calibration_error(probabilities: Probabilities, labels: Labels) -> float:
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.zeros(BINS)
    np.add.at(gaps, bins, correct - confidence.astype(np.float64))
    return float(np.abs(gaps).sum() / len(labels))


def balanced_accuracy(predicted: Labels, labels: Labels) -> float:
    """The mean over classes of the share that is right."""
    return float(np.mean([(predicted[labels == label] == label).mean() for label in np.unique(labels)]))


def dice(marked: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[K], from 0 to 1, of masks [n, K, H, W], over all pixels of all of them: 2 |A and B| / (|A| + |B|). NaN where a
    kind is marked in neither."""
    common = (marked & true).sum(axis=(0, 2, 3))
    whole = marked.sum(axis=(0, 2, 3)) + true.sum(axis=(0, 2, 3))
    return np.divide(2 * common, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def iou(marked: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[K], from 0 to 1, as `dice`: |A and B| / |A or B|."""
    found = dice(marked, true)
    return found / (2 - found)
