import numpy as np
import pytest
import pywt
import torch
from scipy.fft import dctn, idctn
from scipy.stats import binomtest, kstest, norm
from torch import Tensor

from stylegan_ada.augment.filtering import BandFilter, band_filters, draw_bands
from stylegan_ada.random import Draws

POWER = np.array([10, 1, 1, 1]) / 13


def power(omega: np.ndarray) -> np.ndarray:
    """|H(omega)|^2 / 2 of the sym2 wavelet."""
    taps = np.array(pywt.Wavelet("sym2").dec_lo)
    return np.abs(np.exp(-1j * np.outer(omega, np.arange(len(taps)))) @ taps) ** 2 / 2


def responses(omega: np.ndarray) -> np.ndarray:
    """[4, len(omega)]: the bands' frequency responses, by cascading low and high halves."""
    low, high = power(omega), power(omega + np.pi)
    low2, high2 = power(2 * omega), power(2 * omega + np.pi)
    low4, high4 = power(4 * omega), power(4 * omega + np.pi)
    return np.stack([low * low2 * low4, low * low2 * high4, low * high2, high])


@pytest.mark.parametrize(("height", "width"), [(32, 32), (16, 64), (4, 5)])
def test_filtered_images_are_those_of_the_frequency_domain(height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(3, 2, height, width))
    bands = rng.uniform(0.2, 3, size=(3, 4))
    result = BandFilter(height, width)(torch.from_numpy(images), torch.from_numpy(bands)).numpy()
    # a mirrored image is a sum of cosines, which a filter without phase only scales
    gains_y = bands @ responses(np.pi * np.arange(height) / (height - 1))
    gains_x = bands @ responses(np.pi * np.arange(width) / (width - 1))
    for image, ours, gain_y, gain_x in zip(images, result, gains_y, gains_x, strict=True):
        spectrum = dctn(image, type=1, axes=(1, 2)) * gain_y[:, None] * gain_x
        np.testing.assert_allclose(ours, idctn(spectrum, type=1, axes=(1, 2)), rtol=0, atol=1e-5)


def test_bands_are_where_they_should_be_and_add_up_to_one() -> None:
    omega = np.pi * np.array([1 / 32, 3 / 16, 3 / 8, 15 / 16])  # inside each band
    taps = np.arange(-21, 22)
    response = band_filters() @ np.cos(np.outer(taps, omega))
    assert response.argmax(axis=0).tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(response.sum(axis=0), 1, atol=1e-10)


@pytest.mark.parametrize("band", range(4))
def test_one_band_amplified_keeps_the_expected_power(scripted: type, half: Tensor, band: int) -> None:
    gates = [0.9, 0.9, 0.9, 0.9]
    gates[band] = 0
    gain = draw_bands(scripted(gates, [1.3, -0.7, 2.0, 0.4]), half)[0].double().numpy()
    assert POWER @ gain**2 == pytest.approx(1, abs=1e-6)
    others = np.delete(gain, band)
    np.testing.assert_allclose(gain[band] / others, 2 ** [1.3, -0.7, 2.0, 0.4][band], rtol=1e-5)


def test_bands_fire_on_their_own_and_multiply(scripted: type, half: Tensor) -> None:
    gain = draw_bands(scripted([0, 0.9, 0, 0.9], [1.0, 1.0, 2.0, 1.0]), half)[0].double().numpy()
    first = np.array([2, 1, 1, 1]) / np.sqrt(POWER @ np.array([4, 1, 1, 1]))
    third = np.array([1, 1, 4, 1]) / np.sqrt(POWER @ np.array([1, 1, 16, 1]))
    np.testing.assert_allclose(gain, first * third, rtol=1e-6)


def test_gates_and_strengths() -> None:
    count, p = 4000, 0.25
    gain = draw_bands(Draws(0, "test", torch.arange(count)), torch.tensor(p))
    untouched = int((gain == 1).all(1).sum())
    assert binomtest(untouched, count, (1 - p) ** 4).pvalue > 1e-4
    every = draw_bands(Draws(0, "test", torch.arange(count)), torch.tensor(1.0)).log2()
    assert kstest((every[:, 3] - every[:, 2]) / 2**0.5, norm.cdf).pvalue > 1e-4


def test_gains_of_one_keep_every_bit() -> None:
    images = torch.randn(2, 3, 16, 24)
    assert torch.equal(BandFilter(16, 24)(images, torch.ones(2, 4)), images)
