"""Whether generated images show what their labels say, by a classifier of real features."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .neighbours import Features

if TYPE_CHECKING:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

FOLDS = 5


@dataclass(frozen=True, eq=False)
class LabelFidelity:
    """correct [M]: whether the classifier reads each generated image's own label. confusion [C, C]: generated images by
    their label (row) and by what is read (column). cross_validated: accuracy on real images that it had not seen.
    chance: what always reading the commonest class would give on the generated images."""

    correct: NDArray[np.bool_]
    confusion: NDArray[np.int64]
    cross_validated: float
    chance: float

    @property
    def per_class(self) -> NDArray[np.float64]:
        """[C]; NaN for a class that was not generated."""
        rows = self.confusion.sum(axis=1)
        return np.divide(np.diag(self.confusion), rows, out=np.full(len(rows), np.nan), where=rows > 0)


def label_fidelity(
    real: Features, real_labels: NDArray[np.int64], generated: Features, labels: NDArray[np.int64], *, seed: int = 0
) -> LabelFidelity:
    """Linear discriminant analysis of real features [N, D] with labels [N] reads generated ones [M, D] of labels [M].

    Labels are 0 ... C - 1. ValueError if the real images have fewer than two classes, or a class of a single image.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    counts = np.bincount(real_labels)
    smallest = counts[counts > 0].min()
    if (counts > 0).sum() < 2 or smallest < 2:
        raise ValueError("a classifier needs two classes or more, of two images each")
    folds = StratifiedKFold(min(FOLDS, int(smallest)), shuffle=True, random_state=seed)
    cross_validated = cross_val_score(_classifier(), real, real_labels, cv=folds).mean()
    read = _classifier().fit(real, real_labels).predict(generated)
    classes = max(len(counts), int(labels.max()) + 1)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, read), 1)
    chance = confusion.sum(axis=1).max() / len(labels)
    return LabelFidelity(read == labels, confusion, float(cross_validated), float(chance))


def _classifier() -> "LinearDiscriminantAnalysis":
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    # there are often more features than images: the covariance is shrunk as far as the data say (Ledoit & Wolf 2004)
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
