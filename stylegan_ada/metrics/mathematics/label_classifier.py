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
    """correct [M]: whether the classifier predicts each generated image's own label. confusion [C, C]: generated images
    by their label (row) and by the predicted one (column). chance: what always predicting the commonest label gives."""

    correct: NDArray[np.bool_]
    confusion: NDArray[np.int64]
    chance: float

    @property
    def per_class(self) -> NDArray[np.float64]:
        """[C]; NaN for a class that was not generated."""
        rows = self.confusion.sum(axis=1)
        return np.divide(np.diag(self.confusion), rows, out=np.full(len(rows), np.nan), where=rows > 0)


class LabelClassifier:
    """Linear discriminant analysis of real features [N, D] with labels [N], 0 ... C - 1.

    equal_priors: every class counts as equally likely, as in a balanced set; otherwise by its share, so that a class of
    few images is hardly ever predicted.
    ValueError if there are fewer than two classes, or a class of a single image.
    """

    def __init__(self, real: Features, labels: NDArray[np.int64], *, equal_priors: bool = False):
        counts = np.bincount(labels)
        self._smallest = int(counts[counts > 0].min())
        if (counts > 0).sum() < 2 or self._smallest < 2:
            raise ValueError("a classifier needs two classes or more, of two images each")
        self._real, self._labels = real, labels
        classes = int((counts > 0).sum())
        self._fitted = _classifier(np.full(classes, 1 / classes) if equal_priors else None).fit(real, labels)

    def judge(self, generated: Features, labels: NDArray[np.int64]) -> LabelFidelity:
        """Predicts the labels of generated features [M, D], which were made for labels [M]."""
        predicted = self.predict(generated)
        classes = max(self._labels.max(), labels.max()) + 1
        confusion = np.zeros((classes, classes), np.int64)
        np.add.at(confusion, (labels, predicted), 1)
        chance = confusion.sum(axis=1).max() / len(labels)
        return LabelFidelity(predicted == labels, confusion, float(chance))

    def predict(self, features: Features) -> NDArray[np.int64]:
        """[M]: the likeliest label of each row of features [M, D]."""
        return np.asarray(self._fitted.predict(features))

    def probability(self, generated: Features, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """[M]: how likely each image shows its own label, from 0 to 1; 0 for a label of which nothing was seen."""
        columns = np.searchsorted(self._fitted.classes_, labels).clip(max=len(self._fitted.classes_) - 1)
        known = self._fitted.classes_[columns] == labels
        return np.where(known, self._fitted.predict_proba(generated)[np.arange(len(labels)), columns], 0)

    def cross_validated(self, seed: int = 0) -> float:
        """The accuracy on real images that it had not seen."""
        from sklearn.model_selection import StratifiedKFold, cross_val_score

        folds = StratifiedKFold(min(FOLDS, self._smallest), shuffle=True, random_state=seed)
        return float(cross_val_score(_classifier(), self._real, self._labels, cv=folds).mean())


def _classifier(priors: NDArray[np.float64] | None = None) -> "LinearDiscriminantAnalysis":
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    # there are often more features than images: the covariance is shrunk as far as the data say (Ledoit & Wolf 2004)
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors)
