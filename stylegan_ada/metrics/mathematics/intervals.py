"""95% intervals of metrics by the bootstrap (Efron 1979): what another draw of as many images might give."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
NORMAL_95 = 1.96


def of_mean(values: NDArray[np.generic], seed: int = 0) -> tuple[float, float]:
    """The interval of the mean of one number per image [N], by its 2.5 and 97.5 percentiles over resamples."""
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(RESAMPLES)]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def of_statistic(
    value: float, statistic: Callable[[NDArray[np.int64], NDArray[np.int64]], float], n: int, m: int, resamples: int
) -> tuple[float, float]:
    """Around `value`, by the spread of a statistic of two sets over resamples of both.

    statistic: takes indices into sets of n and of m rows. Resamples hold rows twice, which shifts distances such as FID
    upwards, but hardly changes how they spread: so the spread alone is taken. NaN if there are no resamples.
    """
    if resamples < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(0)
    values = [statistic(rng.integers(n, size=n), rng.integers(m, size=m)) for _ in range(resamples)]
    reach = NORMAL_95 * float(np.std(values, ddof=1))
    return value - reach, value + reach
