"""What masks look like: how often, how large, in how many pieces, of what shape."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 4  # pixels of a piece that has a shape


@dataclass(frozen=True, kw_only=True)
class MaskShapes:
    """Of one kind in a set of masks. images: the share of them that have it; area: the share of all pixels that it
    covers. Means over its pieces (connected, also by corners), NaN without any: pieces in an image that has it; size in
    pixels, the median; eccentricity of the ellipse of the same second moments, 0 of a circle to 1 of a line."""

    images: float
    area: float
    pieces: float
    size: float
    eccentricity: float


def mask_shapes(marked: NDArray[np.bool_]) -> MaskShapes:
    """marked: bool [N, H, W]."""
    import cv2

    pieces, sizes, forms = [], [], []
    for mask in marked:
        if not mask.any():
            continue
        count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        pieces.append(count - 1)
        sizes += statistics[1:, cv2.CC_STAT_AREA].tolist()
        forms += [
            eccentricity(labels == label) for label in range(1, count) if statistics[label, cv2.CC_STAT_AREA] >= FEWEST
        ]
    return MaskShapes(
        images=len(pieces) / max(len(marked), 1),
        area=float(marked.mean()) if len(marked) else 0.0,
        pieces=float(np.mean(pieces)) if pieces else float("nan"),
        size=float(np.median(sizes)) if sizes else float("nan"),
        eccentricity=float(np.mean(forms)) if forms else float("nan"),
    )


def eccentricity(piece: NDArray[np.bool_]) -> float:
    """Of the pixels of [H, W], each a square of side 1."""
    places = np.argwhere(piece).astype(np.float64)
    moments = np.cov(places.T, bias=True) + np.eye(2) / 12
    small, large = np.linalg.eigvalsh(moments)
    return float(np.sqrt(max(0.0, 1 - small / large)))
