import numpy as np
import pytest
from scipy import ndimage

from stylegan_ada.metrics.mathematics.mask_shapes import eccentricity, mask_shapes


def test_pieces_are_those_of_scipy() -> None:
    marked = np.random.default_rng(0).random((20, 24, 30)) < 0.2
    marked[3] = False
    found = mask_shapes(marked)
    corners = np.ones((3, 3))
    labelled = [ndimage.label(mask, corners) for mask in marked if mask.any()]
    sizes = np.concatenate([np.bincount(labels.ravel())[1:] for labels, _ in labelled])
    assert found.images == pytest.approx(19 / 20)
    assert found.area == pytest.approx(marked.mean())
    assert found.pieces == pytest.approx(np.mean([count for _, count in labelled]))
    assert found.size == np.median(sizes)


@pytest.mark.parametrize(("a", "b"), [(20, 20), (20, 10), (20, 5)])
def test_the_eccentricity_of_an_ellipse(a: float, b: float) -> None:
    y, x = np.mgrid[:64, :64] - 31.5
    turned = np.cos(0.5) * x + np.sin(0.5) * y, np.cos(0.5) * y - np.sin(0.5) * x
    ellipse = (turned[0] / a) ** 2 + (turned[1] / b) ** 2 <= 1
    assert eccentricity(ellipse) == pytest.approx(np.sqrt(1 - (b / a) ** 2), abs=0.06)


def test_nothing_has_no_shape() -> None:
    found = mask_shapes(np.zeros((3, 8, 8), bool))
    assert (found.images, found.area) == (0, 0)
    assert np.isnan([found.pieces, found.size, found.eccentricity]).all()
