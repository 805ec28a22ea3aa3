from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from stylegan_ada.classifiers import small_cnn as network
from stylegan_ada.classifiers.small_cnn import Batches, ImageClassifier, SmallNetwork


@pytest.fixture
def pictures() -> Callable[..., Any]:
    """pictures(n): noise of 16x16 with a bright bar, upright or lying."""

    def pictures(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        images, labels = rng.integers(0, 120, (n, 1, 16, 16), dtype=np.uint8), rng.integers(0, 2, n)
        for image, label in zip(images, labels, strict=True):
            at = rng.integers(16)
            image[0, at if label else slice(None), slice(None) if label else at] += 100
        return images, labels

    return pictures


def learn(train: tuple[np.ndarray, np.ndarray], held: tuple[np.ndarray, np.ndarray], seed: int = 0) -> ImageClassifier:
    def take(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return train[0][places], train[1][places]

    return ImageClassifier(Batches(len(train[1]), take, seed), np.ones(2), held, seed, torch.device("cpu"))


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "FEWEST_STEPS", 60)
    monkeypatch.setattr(network, "MOST_STEPS", 60)
    monkeypatch.setattr(network, "CHECK_EVERY", 20)


def test_the_network_learns_and_its_seed_decides(pictures: Callable[..., Any], few_steps: None) -> None:
    train, held, test = pictures(200), pictures(60, 1), pictures(100, 2)
    before = torch.get_rng_state()
    found = learn(train, held)
    probabilities = found.probabilities(test[0])
    assert (probabilities.argmax(axis=1) == test[1]).mean() > 0.9
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    predicted = found.probabilities(held[0]).argmax(axis=1)
    assert found.validation == pytest.approx(balanced_accuracy_score(held[1], predicted))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(learn(train, held).probabilities(test[0]), probabilities)
    assert not np.array_equal(learn(train, held, 1).probabilities(test[0]), probabilities)


def test_the_network_keeps_what_was_best_on_validation_images(
    pictures: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is learned is wrong there, so each step makes it worse: it stops long before the last one."""
    monkeypatch.setattr(network, "CHECK_EVERY", 5)
    train, held = pictures(200), pictures(60, 1)
    steps = []

    def take(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steps.append(len(places))
        return train[0][places], train[1][places]

    wrong = held[0], 1 - held[1]
    ImageClassifier(Batches(200, take, 0), np.ones(2), wrong, 0, torch.device("cpu"))
    assert len(steps) < 20 * network.PATIENCE


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 12, 40), (3, 32, 32), (3, 256, 256)])
def test_the_network_takes_any_size(shape: tuple[int, int, int]) -> None:
    assert SmallNetwork(shape, 5)(torch.zeros(2, *shape)).shape == (2, 5)


def test_batches_show_every_image_once_in_each_pass() -> None:
    batches = Batches(150, lambda places: (places, places), 3)
    shown = np.concatenate([images for images, _ in batches])
    assert len(shown) == len(batches) * network.BATCH == network.FEWEST_STEPS * network.BATCH
    for first in (0, 150, 300):
        assert sorted(shown[first : first + 150]) == list(range(150))
    assert shown[:150].tolist() != shown[150:300].tolist()
    assert len(Batches(500, tuple, 0)) == 40 * 500 // network.BATCH
    assert len(Batches(9000, tuple, 0)) == network.MOST_STEPS
