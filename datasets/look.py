"""What one look at an image file tells: its header, its pixels' digest, its brightness, and a small gray copy."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .decode import Header, open_image, open_stream, read_header
from .sources import Source

SIDE = 32  # pixels of the small copy
QUANTILE = 0.999


@dataclass(frozen=True, eq=False)
class Look:
    """Of the pixels as training would have them, with 8 bits.

    digest: the same for the same pixels. darkest, brightest: gray levels, 0 to 255. top: the level that 99.9% of the
    pixels do not exceed. small: uint8 [32, 32], gray, whatever the image's shape.
    """

    header: Header
    digest: str
    darkest: int
    brightest: int
    top: int
    small: NDArray[np.uint8]


def look(source: Source, name: str) -> Look:
    """Decodes an image of a source. Raises Unreadable."""
    with open_stream(source, name) as stream:
        header = read_header(stream)
        stream.seek(0)
        image = open_image(stream)
    gray = image.convert("L")
    upto = np.cumsum(gray.histogram())
    return Look(
        header=header,
        digest=hashlib.sha256(f"{image.mode} {image.size}".encode() + image.tobytes()).hexdigest(),
        darkest=int(np.flatnonzero(upto)[0]),
        brightest=int(np.searchsorted(upto, upto[-1])),
        top=int(np.searchsorted(upto, QUANTILE * upto[-1])),
        small=np.asarray(gray.resize((SIDE, SIDE), Image.Resampling.BOX)),
    )
