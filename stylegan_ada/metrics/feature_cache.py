"""Features of real images, kept on disk: a set is measured against many generators."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..files import atomic_path, cache_root
from ..folders import delete_left_behind


def feature_file(fingerprint: str, extractor_identity: str) -> Path:
    """The file with the features of one set of images by one extractor."""
    key = hashlib.sha256(f"{fingerprint}/{extractor_identity}".encode()).hexdigest()[:32]
    return cache_root() / "features" / f"{key}.npy"


def read_features(path: Path, count: int) -> NDArray[np.float32] | None:
    """float32 [count, D]; None if there is no such file, or something else in it."""
    try:
        features = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return features if features.ndim == 2 and len(features) == count and features.dtype == np.float32 else None


def write_features(path: Path, features: NDArray[np.float32]) -> None:
    """Write all or nothing. A folder that cannot be written costs time at the next run, no more: it only warns."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        delete_left_behind(path.parent)
        with atomic_path(path) as temporary:
            np.save(temporary, features)
    except (OSError, UserError) as error:
        warnings.warn(f"the features of the real images were not kept for the next time: {error}", stacklevel=2)
