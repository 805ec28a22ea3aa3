"""Image-space filtering (arXiv 2006.06676, appendix B): amplify or weaken four bands of frequency."""

import numpy as np
import torch
from torch import Tensor

from ..random import Draws
from .mirror import fir_matrix
from .wavelets import SYM2

OCTAVES = 1.0  # standard deviation of log2 of a band's amplification
POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # expected of an image's bands, lowest first (a 1/f spectrum)


def band_filters() -> np.ndarray:
    """float64 [4, 43]: zero-phase filters of the bands 0, 1/8, 1/4, 1/2, 1 of the Nyquist frequency, lowest first.

    From P(z) = H(z) H(1/z) / 2, the sym2 wavelet's power response, for which P(z) + P(-z) = 1; so they add up to 1.
    """
    low = np.convolve(SYM2, SYM2[::-1]) / 2  # P(z), 7 taps
    high = low * (-1.0) ** np.arange(-3, 4)  # P(-z)
    filters = [
        np.convolve(low, np.convolve(_spread(low, 2), _spread(low, 4))),
        np.convolve(low, np.convolve(_spread(low, 2), _spread(high, 4))),
        np.convolve(low, _spread(high, 2)),
        high,
    ]
    longest = len(filters[0])
    return np.stack([np.pad(taps, (longest - len(taps)) // 2) for taps in filters])


def _spread(taps: np.ndarray, factor: int) -> np.ndarray:
    """Taps of P(z^factor)."""
    spread = np.zeros((len(taps) - 1) * factor + 1)
    spread[::factor] = taps
    return spread


def draw_bands(draws: Draws, p: Tensor) -> Tensor:
    """float32 [N, 4]: the amplification of each band, lowest first.

    Each band in turn fires with probability p: log2 of its factor is normal with deviation 1, and all four are then
    rescaled so that an image with the expected spectrum keeps its power.
    """
    fired = draws.uniform(4) < p
    factors = 2 ** (OCTAVES * draws.normal(4))
    gain = torch.ones_like(factors)
    for band, power in enumerate(POWER):
        factor = factors[:, band : band + 1]
        total = 1 + power * (factor**2 - 1)  # of the expected powers, the other bands being as they were
        column = torch.arange(len(POWER), device=draws.device) == band
        step = torch.where(column, factor, 1) / total.sqrt()
        gain = gain * torch.where(fired[:, band : band + 1], step, 1)
    return gain


class BandFilter(torch.nn.Module):
    """Filters images [N, C, H, W] of one shape, along both axes alike. Linear in the images."""

    vertical: Tensor
    horizontal: Tensor

    def __init__(self, height: int, width: int):
        super().__init__()
        self.register_buffer("vertical", self._matrices(height), persistent=False)  # [4, H, H]
        self.register_buffer("horizontal", self._matrices(width), persistent=False)  # [4, W, W]

    @staticmethod
    def _matrices(length: int) -> Tensor:
        filters = band_filters()
        reach = filters.shape[1] // 2
        return torch.stack(
            [fir_matrix(taps.tolist(), -reach, torch.arange(length), length) for taps in filters]
        ).float()

    def forward(self, images: Tensor, bands: Tensor) -> Tensor:
        """bands: [N, 4] as draw_bands gives them. images: float32 or float64."""
        rows = self._amplified(self.vertical, bands, images.dtype)
        columns = self._amplified(self.horizontal, bands, images.dtype)
        return rows @ images @ columns.mT

    @staticmethod
    def _amplified(matrices: Tensor, bands: Tensor, dtype: torch.dtype) -> Tensor:
        """[N, 1, length, length]. The bands add up to the identity: from that on, so that a gain of 1 is exact."""
        eye = torch.eye(matrices.shape[1], dtype=dtype, device=matrices.device)
        return (eye + torch.einsum("nb,bij->nij", bands.to(dtype) - 1, matrices.to(dtype)))[:, None]
