"""Images of any size in the equal cells of a picture."""

from PIL import Image


def fit(image: Image.Image, side: int) -> Image.Image:
    """RGB, its longer side `side` pixels. Small images are enlarged to blocks of pixels, so that they can be seen as
    they are."""
    ratio = side / max(image.size)
    size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
    return image.convert("RGB").resize(size, Image.Resampling.NEAREST if ratio > 1 else Image.Resampling.LANCZOS)
