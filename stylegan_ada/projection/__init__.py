"""Finding latents that reproduce images, and what such latents are good for."""

from .distance import Distance, make_distance

__all__ = ["Distance", "make_distance"]
