import numpy as np
import pytest
import torch
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_auroc, multiclass_calibration_error

from stylegan_ada.classifiers.scores import scores_of


@pytest.fixture
def predictions() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(300, 4))
    labels = rng.integers(0, 4, 300)
    logits[np.arange(300), labels] += 1
    return (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32), labels


def test_scores_are_those_of_scikit_learn_and_torchmetrics(predictions: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, labels = predictions
    found, predicted = scores_of(probabilities, labels), probabilities.argmax(1)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
    assert found.macro_f1 == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    np.testing.assert_allclose(found.recall, metrics.recall_score(labels, predicted, average=None))
    tensors = torch.from_numpy(probabilities), torch.from_numpy(labels)
    assert found.auroc == pytest.approx(float(multiclass_auroc(*tensors, 4)), abs=1e-5)
    error = multiclass_calibration_error(*tensors, 4, n_bins=10)
    assert found.calibration_error == pytest.approx(float(error), abs=1e-5)
    assert found.confusion.sum() == 300


def test_classes_without_test_images_do_not_count(predictions: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, labels = predictions
    keep = labels != 2
    found = scores_of(probabilities[keep], labels[keep])
    assert np.isnan(found.recall).tolist() == [False, False, True, False]
    assert found.balanced_accuracy == pytest.approx(np.nanmean(found.recall))
    one = scores_of(probabilities[labels == 0], labels[labels == 0])
    assert np.isnan(one.auroc)
