"""The quality of a reproduced image, by the two metrics that publications give."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..pixels import nchw

RADIUS, SIGMA = 5, 1.5  # pixels
K1, K2 = 0.01, 0.03


def psnr(
    images: NDArray[np.uint8], others: NDArray[np.uint8], mask: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Peak signal-to-noise ratio [N] in decibel, 10 log10(255^2 / mean squared error), infinite for equal images.

    uint8 [N, H, W, C] each. mask: [N, H, W] or [1, H, W]; the mean is then weighted by it.
    """
    errors = np.square(images.astype(np.float64) - others).mean(axis=3)
    weights = np.broadcast_to(np.ones((1, 1, 1)) if mask is None else mask, errors.shape)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255**2 / np.average(errors, axis=(1, 2), weights=weights))


def ssim(
    images: NDArray[np.uint8], others: NDArray[np.uint8], mask: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Structural similarity [N], at most 1 (Wang et al. 2004, IEEE TIP 13(4), eq. 13): Gaussian windows of 11x11 pixels
    round every pixel, images reflected at their edges, so that 8 pixels a side have one too.

    uint8 [N, H, W, C] each, 6 pixels a side at least. mask: [N, H, W] or [1, H, W]; the mean is then weighted by it.
    """
    x, y = (nchw(torch.from_numpy(part.astype(np.float64))) for part in (images, others))
    mean_x, mean_y = _local(x), _local(y)
    variance_x, variance_y = _local(x * x) - mean_x**2, _local(y * y) - mean_y**2
    covariance = _local(x * y) - mean_x * mean_y
    c1, c2 = (K1 * 255) ** 2, (K2 * 255) ** 2
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    values = ((2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1) * structure).mean(dim=1).numpy()
    weights = np.broadcast_to(np.ones((1, 1, 1)) if mask is None else mask, values.shape)
    return np.average(values, axis=(1, 2), weights=weights)


def _local(x: Tensor) -> Tensor:
    """The mean round each pixel of [N, C, H, W]."""
    taps = torch.exp(-0.5 * (torch.arange(-RADIUS, RADIUS + 1, dtype=x.dtype) / SIGMA) ** 2)
    window = torch.outer(taps, taps) / taps.sum() ** 2
    x = F.pad(x, (RADIUS,) * 4, mode="reflect")
    return F.conv2d(x, window.expand(x.shape[1], 1, -1, -1), groups=x.shape[1])
