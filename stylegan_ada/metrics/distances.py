"""Distances between two sets of features: pure functions of numpy arrays `[N, D]`, computed in float64."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ROWS = 1024  # rows of a block: a tile of kernel values then takes 8 MB


def fid(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The Frechet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, equation 6).

    a, b: float [N, D] and [M, D]; N and M may be smaller than D. Symmetric, 0 for equal means and covariances (the
    unbiased ones, over N - 1), in squared units of the features. Biased upwards, the more the fewer the rows: compare
    figures of equal N and M only. ValueError for other shapes, fewer than 2 rows, or values that are not finite.
    """
    _check(a, b)
    mean_a, covariance_a = _mean_and_covariance(a)
    mean_b, covariance_b = _mean_and_covariance(b)
    cross = _trace_of_sqrt_of_product(covariance_a, covariance_b, _rank_bound(a), _rank_bound(b))
    distance = np.sum((mean_a - mean_b) ** 2) + np.trace(covariance_a) + np.trace(covariance_b) - 2 * cross
    return float(max(distance, 0.0))  # rounding leaves equal sets a little below zero


def kid(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The kernel distance (Binkowski et al. 2018): MMD^2 with the kernel (x.y/D + 1)^3, estimated without bias.

    a, b: float [N, D] and [M, D]. The estimator of Gretton et al. (2012, lemma 6) over all pairs, not over random
    subsets, so there is nothing to seed. Its expectation does not depend on N and M; it may fall below 0 for sets that
    are alike. ValueError as for `fid`.
    """
    _check(a, b)
    n, m = len(a), len(b)
    within_a = _sum_over_pairs(a) / (n * (n - 1))
    within_b = _sum_over_pairs(b) / (m * (m - 1))
    across = sum(float(_kernel(x, y).sum()) for x in _blocks(a) for y in _blocks(b)) / (n * m)
    return within_a + within_b - 2 * across


def _check(a: NDArray[np.floating], b: NDArray[np.floating]) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or a.shape[1] == 0:
        raise ValueError(f"features must be [N, D] and [M, D], not {list(a.shape)} and {list(b.shape)}")
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a distance needs at least 2 rows on both sides, not {len(a)} and {len(b)}")
    if not all(np.isfinite(block).all() for features in (a, b) for block in _blocks(features)):
        raise ValueError("features must be finite")


def _blocks(x: NDArray[np.floating]) -> Iterator[NDArray[np.float64]]:
    """The rows of x in turn, at most ROWS at a time, as float64 [n, D]."""
    for start in range(0, len(x), ROWS):
        yield x[start : start + ROWS].astype(np.float64)


def _mean_and_covariance(x: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[D] and [D, D], over N - 1. Centred before the products, which would cancel otherwise."""
    mean = x.sum(axis=0, dtype=np.float64) / len(x)
    products = np.zeros((x.shape[1], x.shape[1]))
    for block in _blocks(x):
        block -= mean
        products += block.T @ block
    return mean, products / (len(x) - 1)


def _rank_bound(x: NDArray[np.floating]) -> int:
    """What the rank of the covariance of x [N, D] can be at most."""
    return min(len(x) - 1, x.shape[1])


def _trace_of_sqrt_of_product(a: NDArray[np.float64], b: NDArray[np.float64], rank_a: int, rank_b: int) -> float:
    """Tr (A B)^1/2 for covariances A and B [D, D] of at most these ranks.

    A B has the eigenvalues of F^T B F, with F F^T = A: that matrix is symmetric, and so needs no general square root.
    Eigenvalues beyond the ranks are 0, and left out, because each would count as the root of a rounding error.
    """
    values, vectors = np.linalg.eigh(a)  # ascending
    factor = vectors[:, -rank_a:] * np.sqrt(np.maximum(values[-rank_a:], 0))  # [D, rank_a]
    squares = np.linalg.eigvalsh(factor.T @ b @ factor)[-rank_b:]
    return float(np.sqrt(np.maximum(squares, 0)).sum())


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic polynomial kernel of every row of x with every row of y: [n, m]."""
    base = x @ y.T / x.shape[1] + 1
    return base * base * base


def _sum_over_pairs(x: NDArray[np.floating]) -> float:
    """The kernel summed over all ordered pairs of different rows; each tile above the diagonal stands for two."""
    total = 0.0
    for start, rows in zip(range(0, len(x), ROWS), _blocks(x), strict=True):
        square = _kernel(rows, rows)
        total += float(square.sum() - np.trace(square))
        total += sum(2 * float(_kernel(rows, others).sum()) for others in _blocks(x[start + ROWS :]))
    return total
