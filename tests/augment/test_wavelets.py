import numpy as np
import pytest
import pywt

from stylegan_ada.augment.wavelets import SYM2, SYM6


@pytest.mark.parametrize(("name", "taps"), [("sym2", SYM2), ("sym6", SYM6)])
def test_taps_are_those_of_pywavelets(name: str, taps: tuple[float, ...]) -> None:
    wavelet = pywt.Wavelet(name)
    np.testing.assert_allclose(taps, wavelet.dec_lo, rtol=0, atol=1e-11)
    np.testing.assert_allclose(taps[::-1], wavelet.rec_lo, rtol=0, atol=1e-11)
