from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score

from stylegan_ada.classifiers import small_cnn
from stylegan_ada.classifiers.scores import dice, iou
from stylegan_ada.classifiers.small_cnn import Batches
from stylegan_ada.classifiers.unet import MaskPredictor, UNet


@pytest.fixture
def pairs() -> Callable[..., Any]:
    """pairs(n): noise of 16x16 with a bright square, and its mask."""

    def pairs(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        images, masks = rng.integers(0, 120, (n, 1, 16, 16), dtype=np.uint8), np.zeros((n, 1, 16, 16), np.uint8)
        for image, mask in zip(images, masks, strict=True):
            y, x = rng.integers(0, 11, 2)
            image[0, y : y + 5, x : x + 5] += 110
            mask[0, y : y + 5, x : x + 5] = 255
        return images, masks

    return pairs


def test_scores_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    marked, true = rng.random((5, 2, 8, 8)) < 0.4, rng.random((5, 2, 8, 8)) < 0.5
    for kind in range(2):
        flat = true[:, kind].ravel(), marked[:, kind].ravel()
        assert dice(marked, true)[kind] == pytest.approx(f1_score(*flat))
        assert iou(marked, true)[kind] == pytest.approx(jaccard_score(*flat))
    nothing = np.zeros((2, 1, 8, 8), bool)
    assert np.isnan(dice(nothing, nothing)[0])


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 28, 28), (1, 48, 64), (1, 4, 4), (3, 128, 32)])
def test_there_is_a_logit_for_each_pixel_and_kind(shape: tuple[int, int, int]) -> None:
    assert UNet(shape, 2)(torch.zeros(2, *shape)).shape == (2, 2, *shape[1:])


def test_it_learns_where_a_square_is(pairs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_cnn, "FEWEST_STEPS", 60)
    monkeypatch.setattr(small_cnn, "MOST_STEPS", 60)
    monkeypatch.setattr(small_cnn, "CHECK_EVERY", 20)
    train, held, fresh = pairs(64, 0), pairs(32, 1), pairs(32, 2)
    batches = Batches(64, lambda places: (train[0][places], train[1][places]), 0)
    found = MaskPredictor(batches, held, 0, torch.device("cpu"))
    assert found.validation > 0.8
    assert iou(found.marked(fresh[0]), fresh[1] >= 128)[0] > 0.8
    again = MaskPredictor(batches, held, 0, torch.device("cpu"))
    assert np.array_equal(found.marked(fresh[0]), again.marked(fresh[0]))
