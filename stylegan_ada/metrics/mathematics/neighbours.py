"""Nearest neighbours among features, by squared Euclidean distances in float64, a tile at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ROWS = 1024  # of a tile's sides

Features = NDArray[np.floating]


def nearest_of(x: Features, y: Features) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Index [N] of the nearest row of y [M, D] for each row of x [N, D], and its distance [N] (not squared)."""
    indices, squares = np.zeros(len(x), np.int64), np.full(len(x), np.inf)
    for rows, columns, tile in _tiles(x, y):
        best = tile.argmin(axis=1)
        found = tile[np.arange(len(tile)), best]
        closer = found < squares[rows]
        indices[rows] = np.where(closer, columns.start + best, indices[rows])
        squares[rows] = np.where(closer, found, squares[rows])
    return indices, np.sqrt(squares)


def kth_squared_distance(x: Features, k: int) -> NDArray[np.float64]:
    """[N]: for each row of x [N, D] the squared distance of its k-th nearest other row. ValueError if N <= k."""
    if not 1 <= k < len(x):
        raise ValueError(f"there is no neighbour number {k} among {len(x)} rows")
    nearest = np.full((len(x), k), np.inf)
    for rows, columns, tile in _tiles(x, x):
        if rows == columns:
            np.fill_diagonal(tile, np.inf)
        both = np.concatenate([nearest[rows], tile], axis=1)
        nearest[rows] = np.partition(both, k - 1, axis=1)[:, :k]
    return nearest.max(axis=1)


def balls_around(points: Features, centres: Features, squared_radii: NDArray[np.float64]) -> NDArray[np.int64]:
    """[N]: how many of the balls around `centres` [M, D], of these squared radii [M], hold each of `points` [N, D]."""
    counts = np.zeros(len(points), np.int64)
    for rows, columns, tile in _tiles(points, centres):
        counts[rows] += (tile <= squared_radii[columns]).sum(axis=1)
    return counts


def _tiles(x: Features, y: Features) -> Iterator[tuple[slice, slice, NDArray[np.float64]]]:
    """Rows of x, rows of y, and the squared distances between them [n, m], over all pairs."""
    for i in range(0, len(x), ROWS):
        rows = slice(i, min(i + ROWS, len(x)))
        a = x[rows].astype(np.float64)
        for j in range(0, len(y), ROWS):
            columns = slice(j, min(j + ROWS, len(y)))
            b = y[columns].astype(np.float64)
            tile = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * (a @ b.T)
            yield rows, columns, np.maximum(tile, 0)
