from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stylegan_ada.utility.linear import STRENGTHS, LinearClassifier


@pytest.fixture
def rows() -> Callable[..., Any]:
    """rows(n): features of three classes, of which the last is rare."""
    rng = np.random.default_rng(0)

    def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.choice(3, n, p=[0.5, 0.4, 0.1])
        x = rng.normal(size=(n, 20)) * 5 + 3
        x[np.arange(n), labels] += 6
        return x.astype(np.float32), labels

    return rows


def test_the_linear_classifier_is_scikit_learns_at_its_best_strength(rows: Callable[..., Any]) -> None:
    train, held, test = rows(300), rows(150), rows(500)
    found = LinearClassifier(*train, held, 3)
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=c, class_weight="balanced", max_iter=1000)).fit(*train)
        for c in STRENGTHS
    ]
    scores = [balanced_accuracy_score(held[1], model.predict(held[0])) for model in models]
    assert found.validation == pytest.approx(max(scores), abs=0.01)
    expected = models[int(np.argmax(scores))].predict_proba(test[0])
    np.testing.assert_allclose(found.probabilities(test[0]), expected, atol=0.02)


def test_a_class_that_was_not_learned_from_is_never_predicted(rows: Callable[..., Any]) -> None:
    x, labels = rows(200)
    some = labels != 1
    probabilities = LinearClassifier(x[some], labels[some], (x, labels), 4).probabilities(x)
    assert probabilities.shape == (200, 4)
    assert not probabilities[:, [1, 3]].any()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
