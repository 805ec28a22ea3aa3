"""Train StyleGAN2 with adaptive discriminator augmentation on a few thousand images, and use what it learned."""

from ._version import __version__

__all__ = ["__version__"]
