"""Masks brought to the size of images: each pixel becomes the share of its area that the mask covers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..reading.resizing import crop_box, padded


def fitted_mask(
    shares: NDArray[Any], height: int, width: int, fit: str, background: str = "white"
) -> NDArray[np.float32]:
    """float32 [K, height, width], in [0, 1], of [K, H, W]: cut, padded or stretched exactly as an image of H x W is
    (`resizing.scaled`, `padded`), averaged over areas. Around a padded mask there is nothing, but where `background`
    repeats or mirrors the image's border."""
    _, own_height, own_width = shares.shape
    inner = height, width
    if fit == "crop" and (own_height, own_width) != inner:
        left, top, right, bottom = crop_box(own_height, own_width, height, width)
        shares = shares[:, top:bottom, left:right]
    elif fit == "pad":
        factor = min(height / own_height, width / own_width, 1)
        inner = max(1, round(own_height * factor)), max(1, round(own_width * factor))
    if shares.shape[1:] != inner:
        rows, columns = _overlaps(shares.shape[1], inner[0]), _overlaps(shares.shape[2], inner[1])
        shares = rows @ shares.astype(np.float32) @ columns.T
    shares = shares.astype(np.float32).clip(0, 1)
    return padded(shares, height, width, background, np.zeros(len(shares), np.float32)) if fit == "pad" else shares


def _overlaps(before: int, after: int) -> NDArray[np.float32]:
    """[after, before]: the shares of each new pixel's length that the old ones have."""
    edges = np.arange(after + 1) * (before / after)
    old = np.arange(before)
    lengths = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return (lengths.clip(0) * (after / before)).astype(np.float32)
