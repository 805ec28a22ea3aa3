import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from stylegan_ada.metrics.mathematics import neighbours
from stylegan_ada.metrics.mathematics.manifold import density_coverage, precision_recall
from stylegan_ada.metrics.mathematics.neighbours import balls_around, kth_squared_distance, nearest_of


@pytest.fixture(params=[7, 1024])
def tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tiles, the last ones short; and a single one."""
    monkeypatch.setattr(neighbours, "ROWS", request.param)


@pytest.fixture
def sets() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 5)).astype(np.float32), (rng.normal(size=(33, 5)) * 1.2 + 0.3).astype(np.float32)


def test_nearest(tiles: None, sets: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = sets
    distances, indices = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(b).kneighbors(a)
    found, far = nearest_of(a, b)
    np.testing.assert_array_equal(found, indices[:, 0])
    np.testing.assert_allclose(far, distances[:, 0], rtol=1e-5)


@pytest.mark.parametrize("k", [1, 3, 39])
def test_kth_neighbour(k: int, tiles: None, sets: tuple[np.ndarray, np.ndarray]) -> None:
    a, _ = sets
    distances, _ = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(a).kneighbors()  # without the point itself
    np.testing.assert_allclose(np.sqrt(kth_squared_distance(a, k)), distances[:, -1], rtol=1e-5)


def test_balls(tiles: None, sets: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = sets
    radii = np.linspace(0.5, 3, len(b))
    expected = (cdist(a, b) <= radii).sum(axis=1)
    assert expected.max() > expected.min()
    np.testing.assert_array_equal(balls_around(a, b, radii**2), expected)


@pytest.mark.parametrize("k", [0, 40])
def test_neighbours_that_are_not_there(k: int, sets: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="no neighbour number"):
        kth_squared_distance(sets[0], k)


def radii_of(x: np.ndarray, k: int) -> np.ndarray:
    return np.sort(cdist(x, x), axis=1)[:, k]  # the point itself is number 0


def test_precision_and_recall_are_their_definitions(tiles: None, sets: tuple[np.ndarray, np.ndarray]) -> None:
    real, generated = sets
    d = cdist(real, generated)
    precision = (d <= radii_of(real, 3)[:, None]).any(axis=0).mean()
    recall = (d <= radii_of(generated, 3)).any(axis=1).mean()
    assert precision != recall
    assert precision_recall(real, generated) == pytest.approx((precision, recall))


def test_density_and_coverage_are_their_definitions(tiles: None, sets: tuple[np.ndarray, np.ndarray]) -> None:
    real, generated = sets
    inside = cdist(real, generated) <= radii_of(real, 5)[:, None]
    expected = inside.sum(axis=0).mean() / 5, inside.any(axis=1).mean()
    assert density_coverage(real, generated) == pytest.approx(expected)


def test_alike_and_apart() -> None:
    rng = np.random.default_rng(0)
    real, alike = rng.normal(size=(400, 4)), rng.normal(size=(400, 4))
    assert min(*precision_recall(real, alike), *density_coverage(real, alike)) > 0.85
    assert density_coverage(real, alike)[1] == pytest.approx(1 - 2**-5, abs=0.03)
    assert max(*precision_recall(real, alike + 50), *density_coverage(real, alike + 50)) == 0


def test_half_the_kinds_missing() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(400, 4)) + np.repeat([[0.0], [30.0]], 200, axis=0)
    generated = rng.normal(size=(400, 4))
    precision, recall = precision_recall(real, generated)
    density, coverage = density_coverage(real, generated)
    assert precision > 0.9
    assert recall < 0.52
    assert density > 0.9
    assert coverage < 0.52
