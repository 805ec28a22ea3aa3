"""How far a long work on many images is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # called with the number of images done and of images in all
