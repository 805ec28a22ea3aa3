import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from stylegan_ada.augment.mirror import fir_matrix, mirror


@pytest.mark.parametrize("length", [2, 3, 8])
def test_mirror_continues_as_numpy_pads(length: int) -> None:
    expected = np.pad(np.arange(length), 25, mode="reflect")
    index = torch.arange(-25, length + 25)
    assert mirror(index, length).tolist() == expected.tolist()
    assert mirror(index.double(), length).tolist() == expected.tolist()


@pytest.mark.parametrize("length", [3, 16])
def test_fir_matrix_filters_a_mirrored_axis(length: int) -> None:
    rng = np.random.default_rng(0)
    taps, x = rng.normal(size=7), rng.normal(size=length)
    matrix = fir_matrix(taps.tolist(), -3, torch.arange(length), length)
    padded = np.pad(x, 3, mode="reflect")
    np.testing.assert_allclose(matrix.numpy() @ x, np.correlate(padded, taps, mode="valid"), atol=1e-12)
    np.testing.assert_allclose(matrix.numpy() @ x, correlate1d(x, taps, mode="mirror"), atol=1e-12)
