import numpy as np
import pytest

from stylegan_ada.metrics.mathematics.pixel_statistics import FIGURES, pixel_figures, pixel_rows
from stylegan_ada.metrics.words.results import pixel_table


def transform(gray: np.ndarray) -> np.ndarray:
    """The discrete Fourier transform [H, W] by its definition."""
    height, width = gray.shape
    rows = np.exp(-2j * np.pi * np.outer(np.arange(height), np.arange(height)) / height)
    columns = np.exp(-2j * np.pi * np.outer(np.arange(width), np.arange(width)) / width)
    return rows @ gray @ columns


@pytest.mark.parametrize("shape", [(32, 32, 1), (48, 20, 3), (17, 64, 4), (8, 8, 2), (1, 4, 3)])
def test_rows_are_as_defined(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), np.uint8)
    height, width, channels = shape
    for image, row in zip(images, pixel_rows(images), strict=True):
        planes = image.astype(np.float64)[..., : 3 if channels > 2 else 1]
        gray = planes.sum(axis=2) / planes.shape[2]
        power = np.abs(transform(gray - gray.mean())) ** 2 / (height * width) ** 2
        bands = np.zeros(4)
        for y in range(height):
            for x in range(width):
                f = (min(y, height - y) / height) ** 2 + (min(x, width - x) / width) ** 2
                bands[sum(f >= edge**2 for edge in (1 / 16, 1 / 8, 1 / 4))] += power[y, x]
        expected = [gray.mean(), gray.std(), np.mean(gray < 8.1), np.mean(gray > 246.9), *bands]
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-5)
        assert row[4:].sum() == pytest.approx(gray.var(), rel=1e-5)


@pytest.mark.parametrize(("wavelength", "band"), [(32, 0), (16, 1), (12.8, 1), (6.4, 2), (4, 3), (2, 3)])
def test_a_wave_lies_in_the_band_of_its_length(wavelength: float, band: int) -> None:
    x = np.arange(64)
    wave = np.rint(127 + 100 * np.cos(2 * np.pi * x / wavelength)).astype(np.uint8)
    row = pixel_rows(np.tile(wave, (64, 1))[None, :, :, None])[0]
    assert row[4 + band] / row[4:].sum() > 0.999
    turned = pixel_rows(np.tile(wave[:, None], (1, 64))[None, :, :, None])[0]
    np.testing.assert_allclose(turned, row, rtol=1e-5, atol=1e-3)


def test_figures_compare_two_sets() -> None:
    rng = np.random.default_rng(0)
    real = rng.integers(20, 90, (40, 12, 16, 1), np.uint8)
    generated = 2 * real + 30
    figures = pixel_figures(pixel_rows(generated), pixel_rows(real))
    assert list(figures) == list(FIGURES)
    assert figures["contrast"].ratio == pytest.approx(2, rel=1e-5)
    assert figures["power_below_4"].ratio == pytest.approx(4, rel=1e-5)
    means = real.reshape(40, -1).mean(axis=1, dtype=np.float64)
    assert figures["brightness"].real == pytest.approx(means.mean())
    assert figures["brightness_spread"].real == pytest.approx(means.std(), rel=1e-4)
    assert figures["contrast_spread"].generated == pytest.approx(generated.reshape(40, -1).std(axis=1).std(), rel=1e-4)


def test_no_ratio_to_nothing() -> None:
    real, generated = np.full((2, 8, 8, 1), 100, np.uint8), np.zeros((2, 8, 8, 1), np.uint8)
    figures = pixel_figures(pixel_rows(generated), pixel_rows(real))
    assert figures["near_black"].ratio is None
    assert figures["brightness"].ratio == 0
    table = {name: (made, of_real, ratio) for name, made, of_real, ratio, _ in pixel_table(figures)}
    assert table["near_black"] == ("1.0000", "0.0000", "real is 0")
