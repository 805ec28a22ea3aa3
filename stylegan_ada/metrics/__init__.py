"""How good generated images are: features of images once, then pure functions of features."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .distances import fid, kid, kid_with_error
    from .features import make_extractor
    from .labels import LabelClassifier
    from .manifold import density_coverage, precision_recall
    from .memorisation import find_copies
    from .score import inception_score

__all__ = [
    "LabelClassifier",
    "density_coverage",
    "fid",
    "find_copies",
    "inception_score",
    "kid",
    "kid_with_error",
    "make_extractor",
    "precision_recall",
]
FILES = {  # torch is imported when one of these is first asked for, so that `--help` can name metrics without it
    "LabelClassifier": "labels",
    "density_coverage": "manifold",
    "fid": "distances",
    "find_copies": "memorisation",
    "inception_score": "score",
    "kid": "distances",
    "kid_with_error": "distances",
    "make_extractor": "features",
    "precision_recall": "manifold",
}


def __getattr__(name: str) -> Any:
    if name in FILES:
        return getattr(importlib.import_module(f".{FILES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
