import itertools

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import Tensor

from stylegan_ada.augment.blit import apply_blit, draw_blit
from stylegan_ada.random import Draws


def by_numpy(image: np.ndarray, flip: int, turns: int, right: int, down: int) -> np.ndarray:
    """Flip, rotate, shift [C, H, W] with numpy alone."""
    if flip:
        image = np.flip(image, axis=2)
    image = np.rot90(image, turns, axes=(1, 2))
    _, height, width = image.shape
    margin = min(height, width) - 1
    padded = np.pad(image, ((0, 0), (margin, margin), (margin, margin)), mode="reflect")
    return padded[:, margin - down : margin - down + height, margin - right : margin - right + width]


@pytest.mark.parametrize(("height", "width", "turns"), [(6, 6, (0, 1, 2, 3)), (7, 7, (1, 2)), (4, 9, (0, 2))])
def test_every_blit_is_numpys_bit_for_bit(height: int, width: int, turns: tuple[int, ...]) -> None:
    blits = list(itertools.product((0, 1), turns, (-3, 0, 1), (-2, 0, 3)))
    images = torch.randn(len(blits), 2, height, width)
    result = apply_blit(images, torch.tensor(blits))
    for image, blit, ours in zip(images, blits, result, strict=True):
        assert np.array_equal(ours.numpy(), by_numpy(image.numpy(), *blit)), blit


@pytest.mark.parametrize(
    ("gates", "values", "expected"),
    [
        ([0, 0.9, 0.9], [0.6, 0.9, 0.9, 0.9], [1, 0, 0, 0]),
        ([0, 0.9, 0.9], [0.4, 0.9, 0.9, 0.9], [0, 0, 0, 0]),
        ([0.9, 0, 0.9], [0.6, 0.8, 0.9, 0.9], [0, 3, 0, 0]),
        ([0.9, 0.9, 0], [0.6, 0.8, 0.0, 0.75], [0, 0, -4, 2]),
    ],
)
def test_a_gate_lets_its_own_value_through(
    scripted: type, half: Tensor, gates: list[float], values: list[float], expected: list[int]
) -> None:
    assert draw_blit(scripted(gates, values), half, 32, 32).tolist() == [expected]


def test_values_are_spread_evenly() -> None:
    blit = draw_blit(Draws(0, "test", torch.arange(4000)), torch.tensor(0.6), 64, 32)
    flips, half_turns = int((blit[:, 0] == 1).sum()), int((blit[:, 1] == 2).sum())
    assert binomtest(flips, 4000, 0.3).pvalue > 1e-4
    assert binomtest(half_turns, 4000, 0.3).pvalue > 1e-4
    assert set(blit[:, 1].tolist()) == {0, 2}  # not square: half turns only
    assert set(blit[:, 2].tolist()) == set(range(-4, 5))
    assert set(blit[:, 3].tolist()) == set(range(-8, 9))


def test_square_images_take_every_turn_evenly() -> None:
    turns = draw_blit(Draws(0, "test", torch.arange(4000)), torch.tensor(1.0), 8, 8)[:, 1]
    for turn in range(4):
        assert binomtest(int((turns == turn).sum()), 4000, 0.25).pvalue > 1e-4
