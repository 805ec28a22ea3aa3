from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada.pixels import as_8_bits, from_uint8, in_units, nchw, nhwc, to_levels, to_uint8


def test_every_level_comes_back() -> None:
    levels = torch.arange(256).to(torch.uint8).reshape(2, 1, 8, 16)
    images = from_uint8(levels)
    assert images.dtype == torch.float32
    torch.testing.assert_close(images.flatten(), torch.linspace(-1, 1, 256), rtol=0, atol=1e-6)
    back = to_uint8(images)
    assert back.dtype == torch.uint8
    assert torch.equal(back, levels)


def test_levels_are_rounded_and_clamped() -> None:
    exact = torch.tensor([-300.0, -0.4, 0.4, 0.6, 99.51, 254.4, 254.6, 300.0], dtype=torch.float64)
    images = (exact - 127.5) / 127.5
    assert to_uint8(images).tolist() == [0, 0, 0, 1, 100, 254, 255, 255]
    torch.testing.assert_close(to_levels(images), exact)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_layouts(kind: Callable[..., Any]) -> None:
    """A pixel stays where it was, with its channels, and the memory is shared."""
    planes = kind(np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5))
    pictures = nhwc(planes)
    assert tuple(pictures.shape) == (2, 4, 5, 3)
    for n, c, y, x in ((0, 0, 0, 0), (1, 2, 3, 4), (1, 0, 2, 3), (0, 1, 3, 2)):
        assert pictures[n, y, x, c] == planes[n, c, y, x] == ((n * 3 + c) * 4 + y) * 5 + x
    assert (nchw(pictures) == planes).all()
    planes[1, 2, 3, 4] = -7
    assert pictures[1, 3, 4, 2] == nchw(pictures)[1, 2, 3, 4] == -7


@pytest.mark.parametrize("window", [(100.0, 4000.0), (-1000.0, 400.5)])
def test_images_in_units_are_seen_in_8_bits_of_their_window(window: tuple[float, float]) -> None:
    levels = np.arange(0, 65536, 7).reshape(1, -1, 1, 1)
    values = in_units(levels, window)
    assert values.dtype == (np.uint16 if window[0] > 0 else np.float32)
    expected = (values.astype(np.float64) - window[0]) * 255 / (window[1] - window[0])
    assert np.abs(as_8_bits(values, window) - expected).max() <= 0.51
    shallow = levels.astype(np.uint8)
    assert as_8_bits(shallow, None) is shallow
