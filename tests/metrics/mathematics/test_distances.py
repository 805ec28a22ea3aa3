from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.metrics.pairwise import polynomial_kernel
from torch import Tensor
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from stylegan_ada.metrics.mathematics import distances
from stylegan_ada.metrics.mathematics.distances import fid, kid, kid_with_error


def features(seed: int, rows: int, columns: int, rank: int | None = None, shift: float = 0.0) -> np.ndarray:
    """Correlated, float32, not centred; of that rank at most around their mean."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(rank or columns, columns))
    return (rng.normal(size=(rows, len(mixing))) @ mixing + 3 + shift * rng.normal(size=columns)).astype(np.float32)


def fid_by_sqrtm(a: np.ndarray, b: np.ndarray) -> np.float64:
    """The definition, with scipy's general matrix square root."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(covariance_a @ covariance_b)
    squared = np.sum((a.mean(0) - b.mean(0)) ** 2)
    return squared + np.trace(covariance_a) + np.trace(covariance_b) - 2 * np.trace(root).real


def fid_by_svd(a: np.ndarray, b: np.ndarray) -> np.float64:
    """Tr (A B)^1/2 is the nuclear norm of X Y^T, for A = X^T X and B = Y^T Y: exact whatever the ranks."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    x, y = (a - a.mean(0)) / np.sqrt(len(a) - 1), (b - b.mean(0)) / np.sqrt(len(b) - 1)
    nuclear = scipy.linalg.svdvals(x @ y.T).sum()
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.sum(x**2) + np.sum(y**2) - 2 * nuclear


def kid_by_loops(a: np.ndarray, b: np.ndarray) -> float:
    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (sum(float(p) * float(q) for p, q in zip(x, y, strict=True)) / len(x) + 1) ** 3

    n, m = len(a), len(b)
    within_a = sum(kernel(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_b = sum(kernel(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within_a + within_b - 2 * sum(kernel(x, y) for x in a for y in b) / (n * m)


@pytest.mark.parametrize(("rows_a", "rows_b"), [(200, 200), (150, 300)])
def test_fid_is_the_matrix_square_root_form(rows_a: int, rows_b: int) -> None:
    a, b = features(0, rows_a, 20), features(1, rows_b, 20, shift=1)
    assert fid(a, b) == pytest.approx(fid_by_sqrtm(a, b), rel=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(features(0, 200, 20), features(1, 300, 20), id="full rank"),
        pytest.param(features(0, 25, 64), features(1, 25, 64), id="fewer rows than columns"),
        pytest.param(features(0, 12, 64), features(1, 200, 64), id="one side deficient"),
        pytest.param(features(0, 200, 64), features(1, 12, 64), id="the other side deficient"),
        pytest.param(features(0, 100, 64, rank=5), features(1, 90, 64, rank=7), id="flat clouds"),
        pytest.param(features(0, 2, 64), features(1, 2, 64), id="two rows"),
    ],
)
def test_fid_is_the_nuclear_norm_form(a: np.ndarray, b: np.ndarray) -> None:
    assert fid(a, b) == pytest.approx(fid_by_svd(a, b), rel=1e-6)
    assert fid(b, a) == pytest.approx(fid(a, b), rel=1e-6)


def test_rounding_errors_beyond_the_rank_do_not_count() -> None:
    """The root of a rounding error of 1e-16 is 1e-8, and there would be 240 of them."""
    wide, narrow = features(0, 300, 250), features(1, 10, 250)
    assert fid(wide, narrow) == pytest.approx(fid_by_svd(wide, narrow), rel=1e-10)


def test_fid_of_constant_features_is_the_squared_distance_of_the_means() -> None:
    assert fid(np.zeros((5, 4)), np.full((6, 4), 2.0)) == pytest.approx(16)


@pytest.mark.parametrize(("rows", "columns"), [(200, 20), (20, 60)])
def test_fid_of_equal_sets_is_zero(rows: int, columns: int) -> None:
    a = features(0, rows, columns)
    assert 0 <= fid(a, a[::-1].copy()) < 1e-5 * a.var(axis=0).sum()


@pytest.mark.parametrize("rows", [4, 1024])
def test_kid_is_the_double_sum(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "ROWS", rows)  # many blocks, with a short last one; and a single block
    a, b = features(0, 9, 5), features(1, 14, 5)
    assert kid(a, b) == pytest.approx(kid_by_loops(a, b), rel=1e-9)


@pytest.mark.parametrize("rows", [50, 1024])
def test_kid_is_scikit_learns_kernel(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "ROWS", rows)
    a, b = features(0, 130, 30), features(1, 170, 30, shift=0.3)
    x, y = a.astype(np.float64), b.astype(np.float64)
    within = [polynomial_kernel(s, degree=3, coef0=1) for s in (x, y)]  # gamma is 1 / D by default
    means = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in within]
    assert kid(a, b) == pytest.approx(sum(means) - 2 * polynomial_kernel(x, y, degree=3, coef0=1).mean(), rel=1e-9)


def test_kid_of_equal_distributions_scatters_around_zero() -> None:
    rng = np.random.default_rng(0)
    values = np.array([kid(rng.normal(size=(20, 8)), rng.normal(size=(30, 8))) for _ in range(200)])
    error = values.std() / np.sqrt(len(values))
    assert abs(values.mean()) < 3 * error
    assert (values < 0).any()  # as an unbiased estimate must be
    assert kid(rng.normal(size=(20, 8)), rng.normal(size=(30, 8)) + 1) > values.max()


@pytest.mark.parametrize("measure", [fid, kid])
@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros(5), np.zeros((5, 3)), r"\[N, D\]"),
        (np.zeros((5, 4)), np.zeros((5, 3)), r"\[N, D\]"),
        (np.zeros((5, 0)), np.zeros((5, 0)), r"\[N, D\]"),
        (np.zeros((1, 3)), np.zeros((5, 3)), "at least 2 rows"),
        (np.zeros((5, 3)), np.full((5, 3), np.nan), "finite"),
        (np.full((5, 3), np.inf), np.zeros((5, 3)), "finite"),
    ],
)
def test_bad_features_are_refused(measure: Callable[..., Any], a: np.ndarray, b: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure(a, b)


@pytest.mark.parametrize("rows", [4, 1024])
def test_error_of_kid_is_the_jackknife(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row left out in turn, by `kid` itself, which other tests hold to scikit-learn's kernel."""
    monkeypatch.setattr(distances, "ROWS", rows)
    a, b = features(0, 11, 6), features(1, 14, 6, shift=0.5)
    without_a = np.array([kid(np.delete(a, i, axis=0), b) for i in range(len(a))])
    without_b = np.array([kid(a, np.delete(b, i, axis=0)) for i in range(len(b))])
    expected = np.sqrt(10 * without_a.var() + 13 * without_b.var())
    value, error = kid_with_error(a, b)
    assert value == pytest.approx(kid(a, b), rel=1e-12)
    assert error == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_error_of_kid_is_how_much_it_scatters(shift: float) -> None:
    rng = np.random.default_rng(0)
    found = [kid_with_error(rng.normal(size=(60, 10)) + shift, rng.normal(size=(50, 10))) for _ in range(200)]
    values, errors = map(np.array, zip(*found, strict=True))
    assert 0.85 < np.sqrt((errors**2).mean()) / values.std() < 1.5  # too large rather than too small


def test_error_of_kid_needs_three_rows() -> None:
    with pytest.raises(ValueError, match="at least 3 rows"):
        kid_with_error(np.zeros((2, 3)), np.zeros((5, 3)))


class Flat(torch.nn.Module):
    """An extractor for torchmetrics, which gives the numbers that it gets."""

    num_features = 12

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)


@pytest.mark.parametrize("rows", [(40, 50), (9, 30)])
def test_torchmetrics_agrees(rows: tuple[int, int]) -> None:
    a, b = (features(seed, n, 12, shift=0.2) for seed, n in enumerate(rows))
    x, y = torch.tensor(a).reshape(-1, 3, 2, 2), torch.tensor(b).reshape(-1, 3, 2, 2)
    theirs = FrechetInceptionDistance(feature=Flat(), input_img_size=(3, 2, 2)).set_dtype(torch.float64)
    size = min(rows)
    with pytest.warns(UserWarning, match="buffer"):
        theirs_kid = KernelInceptionDistance(feature=Flat(), subsets=1, subset_size=size)
    for metric in (theirs, theirs_kid):
        metric.update(x[:size].double(), real=True)
        metric.update(y[:size].double(), real=False)
    assert fid(a[:size], b[:size]) == pytest.approx(float(theirs.compute()), rel=1e-4)
    assert kid(a[:size], b[:size]) == pytest.approx(float(theirs_kid.compute()[0]), rel=1e-4)
