"""The Inception score: whether images are each of one kind, and of many kinds together."""

import numpy as np
from numpy.typing import NDArray

SPLITS = 10


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
