import numpy as np
import torch
from scipy.stats import binomtest, kstest, norm
from torch import Tensor

from stylegan_ada.augment.corruption import apply_cutout, draw_cutout, draw_noise
from stylegan_ada.random import Draws

COUNT = 2000


def test_noise_is_white_with_half_normal_deviation() -> None:
    noise = draw_noise(Draws(0, "test", torch.arange(COUNT)), torch.tensor(1.0), (3, 8, 8)).double()
    deviation = noise.square().mean((1, 2, 3)).sqrt()
    assert kstest(deviation, lambda x: 2 * norm(scale=0.1).cdf(x) - 1).pvalue > 1e-4
    normalised = (noise / deviation[:, None, None, None]).numpy()
    assert kstest(normalised[:100].ravel(), norm.cdf).pvalue > 1e-4
    for axis in (1, 2, 3):  # channels, rows, columns do not know their neighbours
        correlation = (normalised * np.roll(normalised, 1, axis)).mean()
        assert abs(correlation) < 5 / normalised.size**0.5


def test_noise_fires_with_probability_p() -> None:
    noise = draw_noise(Draws(0, "test", torch.arange(COUNT)), torch.tensor(0.35), (1, 2, 2))
    fired = int((noise != 0).flatten(1).any(1).sum())
    assert binomtest(fired, COUNT, 0.35).pvalue > 1e-4


def test_cutout_blanks_half_by_half_about_its_centre(scripted: type, half: Tensor) -> None:
    images = torch.ones(1, 2, 8, 16)
    result = apply_cutout(images, draw_cutout(scripted([0], [0.5, 0.25]), half, 8, 16))
    expected = np.ones((8, 16))
    for y in range(8):
        for x in range(16):
            if abs(x + 0.5 - 8) < 4 and abs(y + 0.5 - 2) < 2:
                expected[y, x] = 0
    for channel in result[0].numpy():
        assert np.array_equal(channel, expected)


def test_cutout_fires_with_probability_p_anywhere() -> None:
    cutout = draw_cutout(Draws(0, "test", torch.arange(COUNT)), torch.tensor(0.35), 64, 64)
    empty = cutout[:, 0] == cutout[:, 1]
    assert binomtest(int((~empty).sum()), COUNT, 0.35).pvalue > 1e-4
    images = torch.ones(COUNT, 1, 64, 64)
    untouched = (apply_cutout(images, cutout) == 1).flatten(1).all(1)
    assert torch.equal(untouched, empty)
    centres = (cutout[~empty][:, 0] + 16) / 64
    assert kstest(centres, "uniform").pvalue > 1e-4
