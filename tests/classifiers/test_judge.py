from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada.classifiers import small_cnn
from stylegan_ada.classifiers.judge import Judge, Targets, flat_targets

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_cnn, "FEWEST_STEPS", 100)
    monkeypatch.setattr(small_cnn, "MOST_STEPS", 100)
    monkeypatch.setattr(small_cnn, "CHECK_EVERY", 20)


@pytest.fixture
def bars() -> Callable[..., Any]:
    """bars(n): a bar, upright or lying, of one of three widths, and a brightness of the ground that is a number."""

    def bars(n: int, seed: int = 0) -> tuple[np.ndarray, Targets]:
        rng = np.random.default_rng(seed)
        choices = np.stack([rng.integers(0, 2, n), rng.integers(0, 3, n)], axis=1)
        grounds = rng.integers(0, 100, n)
        images = rng.integers(0, 30, (n, 1, 16, 16)) + grounds[:, None, None, None]
        for image, (upright, width) in zip(images, choices, strict=True):
            at = rng.integers(10)
            band = slice(at, at + 1 + 2 * width)
            image[0, slice(None) if upright else band, band if upright else slice(None)] += 110
        return images.astype(np.uint8), Targets(choices, 1000 + 5.0 * grounds[:, None])

    return bars


def unknown(targets: Targets, share: float = 0.3) -> Targets:
    rng = np.random.default_rng(5)
    choices, numbers = targets.choices.copy(), targets.numbers.copy()
    choices[rng.random(choices.shape) < share] = -1
    numbers[rng.random(numbers.shape) < share] = np.nan
    return Targets(choices, numbers)


def test_it_learns_all_columns_where_some_are_unknown(bars: Callable[..., Any]) -> None:
    images, targets = bars(300)
    judge = Judge(images, unknown(targets), (2, 3), 0, CPU)
    test, truth = bars(100, 1)
    found = judge.predict(test)
    assert found.choices.shape == (100, 2)
    assert (found.choices == truth.choices).mean(axis=0).min() > 0.85
    assert np.corrcoef(found.numbers[:, 0], truth.numbers[:, 0])[0, 1] > 0.9
    assert found.numbers.mean() == pytest.approx(truth.numbers.mean(), rel=0.05)


@pytest.mark.parametrize("sizes", [(2, 3), ()])
def test_classes_alone_and_numbers_alone(bars: Callable[..., Any], sizes: tuple[int, ...]) -> None:
    images, targets = bars(60)
    some = Targets(targets.choices[:, : len(sizes)], targets.numbers[:, : 0 if sizes else 1])
    found = Judge(images, some, sizes, 0, CPU).predict(images[:7])
    assert found.choices.shape == (7, len(sizes))
    assert found.numbers.shape == (7, 0 if sizes else 1)


def test_the_loss_is_the_sum_of_its_columns(bars: Callable[..., Any]) -> None:
    """By the definition in float64: with weights of the classes that were learned from."""
    images, targets = bars(40)
    known = unknown(targets)
    judge = Judge(images, known, (2, 3), 0, CPU)
    rng = np.random.default_rng(3)
    outputs, weights = rng.normal(size=(40, 6)), [rng.random(2) + 0.1, rng.random(3) + 0.1]
    expected = 0.0
    for column, logits in enumerate((outputs[:, :2], outputs[:, 2:5])):
        rows = np.flatnonzero(known.choices[:, column] >= 0)
        labels = known.choices[rows, column]
        shares = np.log(np.exp(logits[rows]) / np.exp(logits[rows]).sum(axis=1, keepdims=True))
        own = weights[column][labels]
        expected -= (own * shares[np.arange(len(rows)), labels]).sum() / own.sum()
    rows = np.flatnonzero(~np.isnan(known.numbers[:, 0]))
    truth = (known.numbers[rows, 0] - judge._mean[0]) / judge._scale[0]
    expected += ((outputs[rows, 5] - truth) ** 2).mean()
    as_tensors = [torch.tensor(values) for values in weights]
    assert judge._loss(torch.tensor(outputs), known, as_tensors).item() == pytest.approx(expected, rel=1e-5)


def test_nothing_known_is_learned_from_without_harm() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 8, 8), np.uint8)
    nothing = Targets(np.full((20, 1), -1), np.full((20, 1), np.nan))
    found = Judge(images, nothing, (2,), 0, CPU).predict(images)
    assert np.isfinite(found.numbers).all()


def test_its_seed_decides_and_few_images_are_refused(bars: Callable[..., Any]) -> None:
    images, targets = bars(40)
    flat = flat_targets(targets.choices[:, 0])
    before = torch.get_rng_state()
    first, again = (Judge(images, flat, (2,), 0, CPU).predict(images).choices for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(ValueError, match="9 images"):
        Judge(images[:9], flat[np.arange(9)], (2,), 0, CPU)
