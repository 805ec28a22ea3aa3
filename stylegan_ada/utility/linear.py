"""A linear classifier of frozen features."""

import copy
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..classifiers.scores import balanced_accuracy

if TYPE_CHECKING:
    pass

STRENGTHS = (0.001, 0.01, 0.1)  # scikit-learn's C, of which the best on validation images is taken
ITERATIONS = 200
TOLERANCE = 1e-3  # ten times scikit-learn's: predictions stop changing before

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]


class LinearClassifier:
    """Multinomial logistic regression of standardised features, each class with the same total weight.

    x [N, D], labels [N] are learned from; of three penalties the one is kept whose balanced accuracy on the validation
    rows is the highest. validation: that accuracy.
    """

    def __init__(self, x: Rows, labels: Labels, validation: tuple[Rows, Labels], classes: int):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        self._classes = classes
        self._mean, self._scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
        x = self._standardised(x)
        held = self._standardised(validation[0])
        self.validation, self._model = -1.0, None
        model = LogisticRegression(class_weight="balanced", max_iter=ITERATIONS, tol=TOLERANCE, warm_start=True)
        for strength in STRENGTHS:
            model.set_params(C=strength)
            with warnings.catch_warnings(), threadpool_limits(1):  # with more threads it takes longer at such sizes
                warnings.simplefilter("ignore", ConvergenceWarning)  # the penalties that matter have converged by then
                model.fit(x, labels)
            score = balanced_accuracy(model.predict(held), validation[1])
            if score > self.validation:
                self.validation, self._model = score, copy.deepcopy(model)

    def probabilities(self, x: Rows) -> NDArray[np.float32]:
        """[n, C]; 0 for a class that was not learned from."""
        assert self._model is not None
        result = np.zeros((len(x), self._classes), np.float32)
        result[:, self._model.classes_] = self._model.predict_proba(self._standardised(x))
        return result

    def _standardised(self, x: Rows) -> Rows:
        return (x - self._mean) / self._scale
