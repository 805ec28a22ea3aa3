"""What one look at an image file tells: its header, its pixels' digest, its brightness, and a small gray copy."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .decode import Header
from .dicom import MODE
from .opening import open_image, open_picture, open_values, read_header
from .sources import Source

SIDE = 32  # pixels of the small copy
QUANTILE = 0.999


@dataclass(frozen=True, eq=False)
class Look:
    """Of the pixels in 8 bits, gray values of more divided by 257, of DICOM files as viewers show them.

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
    with open_picture(source, name) as (stream, picture):
        header = read_header(stream)
        stream.seek(0)
        if header.deep and header.gray:
            values = open_values(stream, picture)[:, :, 0]
            digest = values.tobytes()
            if header.mode == MODE:
                image = open_image(stream, picture)
            else:
                image = Image.fromarray((values / 257).clip(0, 255).round().astype(np.uint8))
            small = _stretched(Image.fromarray(values).resize((SIDE, SIDE), Image.Resampling.BOX))
        else:
            image = open_image(stream, picture)
            digest, small = image.tobytes(), np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))
    upto = np.cumsum(image.convert("L").histogram())
    return Look(
        header=header,
        digest=hashlib.sha256(f"{image.mode} {image.size}".encode() + digest).hexdigest(),
        darkest=int(np.flatnonzero(upto)[0]),
        brightest=int(np.searchsorted(upto, upto[-1])),
        top=int(np.searchsorted(upto, QUANTILE * upto[-1])),
        small=small,
    )


def _stretched(image: Image.Image) -> NDArray[np.uint8]:
    """Floating-point values, which may be of any range, as gray levels from their lowest to their highest."""
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    return ((values - low) * (255 / max(high - low, 1e-12))).round().astype(np.uint8)
