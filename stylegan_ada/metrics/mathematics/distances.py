"""Distances between two sets of features `[N, D]`, and the Inception score: numpy arrays, computed in float64."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ROWS = 1024  # rows of a block: a tile of kernel values then takes 8 MB
SPLITS = 10


def fid(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The Frechet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, equation 6).

    a, b: float [N, D] and [M, D]; N and M may be smaller than D. Symmetric, 0 for equal means and covariances (the
    unbiased ones, over N - 1), in squared units of the features. Biased upwards, the more the fewer the rows: compare
    values of equal N and M only. ValueError for other shapes, fewer than 2 rows, or values that are not finite.
    """
    _check(a, b)
    if len(a) > len(b):
        a, b = b, a
    mean_a, mean_b = (x.sum(axis=0, dtype=np.float64) / len(x) for x in (a, b))
    covariance_b = _covariance(b, mean_b)
    factor = _factor(a, mean_a)
    cross = _sum_of_roots(factor @ covariance_b @ factor.T, min(len(a), len(b)) - 1)
    distance = np.sum((mean_a - mean_b) ** 2) + np.sum(factor**2) + np.trace(covariance_b) - 2 * cross
    return float(max(distance, 0.0))  # rounding leaves equal sets a little below zero


def kid(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The kernel distance (Binkowski et al. 2018): MMD^2 with the kernel (x.y/D + 1)^3, estimated without bias.

    a, b: float [N, D] and [M, D]. The estimator of Gretton et al. (2012, lemma 6) over all pairs, not over random
    subsets, so there is nothing to seed. Its expectation does not depend on N and M; it may fall below 0 for sets that
    are alike. ValueError as for `fid`.
    """
    _check(a, b)
    return _kid_of_sums(_kernel_sums(a, b))


def kid_with_error(a: NDArray[np.floating], b: NDArray[np.floating]) -> tuple[float, float]:
    """`kid` and its standard error, by leaving out each row of either set in turn (the jackknife; Efron & Stein 1981).

    The error is of drawing both sets; for sets that are alike it is somewhat too large. ValueError as for `fid`, and
    for fewer than 3 rows.
    """
    _check(a, b)
    n, m = len(a), len(b)
    if min(n, m) < 3:
        raise ValueError(f"an error needs at least 3 rows on both sides, not {n} and {m}")
    sums = _kernel_sums(a, b)
    within_a, within_b, across_a, across_b = sums
    total_a, total_b, across = within_a.sum(), within_b.sum(), across_a.sum()
    without_a = (total_a - 2 * within_a) / ((n - 1) * (n - 2)) - 2 * (across - across_a) / ((n - 1) * m)
    without_b = (total_b - 2 * within_b) / ((m - 1) * (m - 2)) - 2 * (across - across_b) / (n * (m - 1))
    variance = (n - 1) * without_a.var() + (m - 1) * without_b.var()
    return _kid_of_sums(sums), float(np.sqrt(variance))


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


def _covariance(x: NDArray[np.floating], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """[D, D], over N - 1. Centred before the products, which would cancel otherwise."""
    products = np.zeros((x.shape[1], x.shape[1]))
    for block in _blocks(x):
        block -= mean
        products += block.T @ block
    return products / (len(x) - 1)


def _factor(x: NDArray[np.floating], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """F [rank at most, D] with F^T F the covariance of x: x itself, centred and scaled, if it has few rows."""
    if len(x) <= x.shape[1]:
        return (x - mean) / np.sqrt(len(x) - 1)
    values, vectors = np.linalg.eigh(_covariance(x, mean))
    return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T


def _sum_of_roots(squares: NDArray[np.float64], rank: int) -> float:
    """Tr (A B)^1/2 for covariances A = F^T F and B of at most this rank, from F B F^T: it has the eigenvalues of A B,
    but is symmetric, and so needs no general square root. Those beyond the rank, or lost in rounding, are 0: each would
    count as the root of an error."""
    values = np.linalg.eigvalsh(squares)[-rank:]
    return float(np.sqrt(values[values > values[-1] * len(squares) * np.finfo(float).eps]).sum())


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic polynomial kernel of every row of x with every row of y: [n, m]."""
    base = x @ y.T / x.shape[1] + 1
    return base * base * base


def _kernel_sums(a: NDArray[np.floating], b: NDArray[np.floating]) -> tuple[NDArray[np.float64], ...]:
    """The sums of each row's kernel values with the others of its set (a [N], then b [M]), and with the other set (a
    [N], then b [M])."""
    across_a, across_b = np.zeros(len(a)), np.zeros(len(b))
    for i, x in zip(range(0, len(a), ROWS), _blocks(a), strict=False):
        for j, y in zip(range(0, len(b), ROWS), _blocks(b), strict=False):
            tile = _kernel(x, y)
            across_a[i : i + ROWS] += tile.sum(axis=1)
            across_b[j : j + ROWS] += tile.sum(axis=0)
    return _sums_over_others(a), _sums_over_others(b), across_a, across_b


def _sums_over_others(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """[N]: each row's kernel values with all other rows; each tile above the diagonal serves both its sides."""
    sums = np.zeros(len(x))
    for i, rows in zip(range(0, len(x), ROWS), _blocks(x), strict=False):
        square = _kernel(rows, rows)
        sums[i : i + ROWS] += square.sum(axis=1) - np.diag(square)
        for j, others in zip(range(i + ROWS, len(x), ROWS), _blocks(x[i + ROWS :]), strict=False):
            tile = _kernel(rows, others)
            sums[i : i + ROWS] += tile.sum(axis=1)
            sums[j : j + ROWS] += tile.sum(axis=0)
    return sums


def _kid_of_sums(sums: tuple[NDArray[np.float64], ...]) -> float:
    within_a, within_b, across, _ = sums
    n, m = len(within_a), len(within_b)
    within = within_a.sum() / (n * (n - 1)) + within_b.sum() / (m * (m - 1))
    return float(within - 2 * across.sum() / (n * m))


def inception_score(logits: NDArray[np.floating], splits: int = SPLITS) -> tuple[float, float]:
    """exp E KL(p(y|x) || p(y)) (Salimans et al. 2016, arXiv 1606.03498, section 4): mean and standard deviation over
    `splits` equal parts of the images, from 1 to the number of kinds K.

    logits: float [N, K] of a classifier. ValueError for another shape or fewer images than parts.
    """
    if logits.ndim != 2 or len(logits) < splits:
        raise ValueError(f"logits must be [N, K] with N at least {splits}, not {list(logits.shape)}")
    logits = logits.astype(np.float64)
    logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    scores = [np.exp(_mean_divergence(part)) for part in np.array_split(logs, splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _mean_divergence(logs: NDArray[np.float64]) -> float:
    """logs: log p(y|x) [n, K]."""
    shares = np.exp(logs)
    marginal = np.log(np.maximum(shares.mean(axis=0), np.finfo(float).tiny))
    return float((shares * (logs - marginal)).sum(axis=1).mean())
