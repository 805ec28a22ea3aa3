"""Finding latents that reproduce images, and what such latents are good for."""

from .distance import Distance, make_distance
from .projector import Projection, project

__all__ = ["Distance", "Projection", "make_distance", "project"]
