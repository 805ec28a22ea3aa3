"""Measuring generated images: their features once, then pure functions of features."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .mathematics.distances import fid, inception_score, kid, kid_with_error
    from .mathematics.label_classifier import LabelClassifier
    from .mathematics.manifold import density_coverage, precision_recall
    from .mathematics.memorisation import find_copies
    from .networks import make_extractor

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
    "LabelClassifier": "mathematics.label_classifier",
    "density_coverage": "mathematics.manifold",
    "fid": "mathematics.distances",
    "find_copies": "mathematics.memorisation",
    "inception_score": "mathematics.distances",
    "kid": "mathematics.distances",
    "kid_with_error": "mathematics.distances",
    "make_extractor": "networks",
    "precision_recall": "mathematics.manifold",
}


def __getattr__(name: str) -> Any:
    if name in FILES:
        return getattr(importlib.import_module(f".{FILES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
