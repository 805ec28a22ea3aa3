"""The share of generated images that look real, and of real ones that are covered: a set of features stands for the
union of the balls around them that reach to their k-th neighbour."""

import numpy as np
from numpy.typing import NDArray

from .neighbours import Features, balls_around, kth_squared_distance, nearest_of

PRECISION_K = 3  # arXiv 1904.06991, section 3
DENSITY_K = 5  # arXiv 2002.09797, section 3


def precision_recall(real: Features, generated: Features, k: int = PRECISION_K) -> tuple[float, float]:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991, equation 2), from 0 to 1.

    real, generated: float [N, D] and [M, D]. Precision: the share of generated images among the real ones' balls;
    recall: the share of real images among the generated ones' balls. Both depend on N and M: compare values of equal
    numbers only. ValueError if N or M is not above k.
    """
    precise, recalled = precision_recall_hits(real, generated, kth_squared_distance(real, k), k)
    return float(precise.mean()), float(recalled.mean())


def density_coverage(real: Features, generated: Features, k: int = DENSITY_K) -> tuple[float, float]:
    """Density and coverage (Naeem et al. 2020, arXiv 2002.09797, equations 3 and 4).

    Density: how many of the real images' balls hold a generated image, over k, on average; near 1 for sets that are
    alike, and more where generated images crowd where the real ones do. Coverage: the share of real images whose ball
    holds a generated one, from 0 to 1; near 1 - 2^-k for sets of equal numbers that are alike.
    ValueError if N is not above k.
    """
    dense, covered = density_coverage_hits(real, generated, kth_squared_distance(real, k), k)
    return float(dense.mean()), float(covered.mean())


def precision_recall_hits(
    real: Features, generated: Features, radii: NDArray[np.float64], k: int = PRECISION_K
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The hits whose means are precision [M] and recall [N]. radii [N]: squared, of the real images' balls."""
    precise = balls_around(generated, real, radii) > 0
    recalled = balls_around(real, generated, kth_squared_distance(generated, k)) > 0
    return precise, recalled


def density_coverage_hits(
    real: Features, generated: Features, radii: NDArray[np.float64], k: int = DENSITY_K
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The hits whose means are density [M] and coverage [N]. radii [N]: squared, of the real images' balls."""
    dense = balls_around(generated, real, radii) / k
    return dense, np.square(nearest_of(real, generated)[1]) <= radii
