"""How good generated images are: features of images once, then pure functions of features."""

from .distances import fid, kid, kid_with_error
from .features import make_extractor
from .inception_score import inception_score
from .labels import LabelReader
from .manifold import density_coverage, precision_recall
from .memorisation import find_copies

__all__ = [
    "LabelReader",
    "density_coverage",
    "fid",
    "find_copies",
    "inception_score",
    "kid",
    "kid_with_error",
    "make_extractor",
    "precision_recall",
]
