"""How near generated images are to real ones: features of images once, then pure functions of features."""

from .distances import fid, kid
from .features import Lite0Features

__all__ = ["Lite0Features", "fid", "kid"]
