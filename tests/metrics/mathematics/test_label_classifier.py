import numpy as np
import pytest

from stylegan_ada.metrics import LabelClassifier

CENTRES = np.random.default_rng(0).normal(size=(3, 8)) * 3


def of_classes(seed: int, labels: np.ndarray) -> np.ndarray:
    return (CENTRES[labels] + np.random.default_rng(seed).normal(size=(len(labels), 8))).astype(np.float32)


@pytest.fixture
def real() -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat([0, 1, 2], [60, 30, 20])
    return of_classes(1, labels), labels


def test_right_labels_are_predicted(real: tuple[np.ndarray, np.ndarray]) -> None:
    labels = np.repeat([0, 1, 2], [20, 30, 10])
    found = LabelClassifier(*real).judge(of_classes(2, labels), labels)
    assert found.correct.mean() > 0.95
    assert LabelClassifier(*real).cross_validated() > 0.95
    assert found.chance == 0.5
    np.testing.assert_allclose(found.per_class, 1, atol=0.11)


def test_a_swap_of_two_classes_shows_where_it_is(real: tuple[np.ndarray, np.ndarray]) -> None:
    labels = np.repeat([0, 1, 2], 20)
    shown = np.array([1, 0, 2])[labels]
    found = LabelClassifier(*real).judge(of_classes(2, shown), labels)
    assert found.per_class[:2].max() < 0.1
    assert found.per_class[2] > 0.9
    assert found.confusion.argmax(axis=1).tolist() == [1, 0, 2]
    assert found.confusion.sum(axis=1).tolist() == [20, 20, 20]


def test_labels_that_say_nothing_are_at_chance() -> None:
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(300, 8)), rng.normal(size=(300, 8))
    classifier = LabelClassifier(real, rng.integers(3, size=300))
    found = classifier.judge(generated, rng.integers(3, size=300))
    assert found.correct.mean() == pytest.approx(1 / 3, abs=0.1)
    assert classifier.cross_validated() == pytest.approx(1 / 3, abs=0.1)


def test_a_class_that_was_not_generated(real: tuple[np.ndarray, np.ndarray]) -> None:
    labels = np.zeros(10, int)
    found = LabelClassifier(*real).judge(of_classes(2, labels), labels)
    assert np.isnan(found.per_class[1:]).all()
    assert found.confusion.shape == (3, 3)


@pytest.mark.parametrize("labels", [np.zeros(6, int), np.array([0, 0, 0, 0, 0, 1])])
def test_what_no_classifier_can_learn(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="two classes or more"):
        LabelClassifier(np.zeros((6, 2)), labels)


def test_equal_priors_predict_a_rare_class() -> None:
    """Images halfway past the middle between two means belong to the second, however rare it is."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [500, 20])
    real = rng.normal(size=(520, 2)) + np.array([[0, 0], [2, 0]])[labels]
    generated = rng.normal(size=(200, 2)) * 0.3 + [1.4, 0]  # nearer to the rare class's mean
    asked = np.ones(200, int)
    by_share = LabelClassifier(real, labels).judge(generated, asked).correct.mean()
    equally = LabelClassifier(real, labels, equal_priors=True).judge(generated, asked).correct.mean()
    assert by_share < 0.2
    assert equally > 0.8
