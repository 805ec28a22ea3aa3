"""The facts of an image file, read once: its header, its pixels' digest, its brightness, and a small gray copy."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...config.preparation import Preparation
from ..packing.notes import marks_of
from ..packing.value_range import ValueRange, value_range
from ..reading.decode import MISSING, Header
from ..reading.opening import open_image, open_picture, open_values, read_header
from ..reading.sources import Source

SIDE = 32  # pixels of the small copy
QUANTILE = 0.999


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """digest: the same for the same pixels. values: of an image with more than 8 bits, in its own units. darkest,
    brightest: gray levels of the others, 0 to 255. top: the level that 99.9% of the pixels do not exceed in 8 bits.
    marks: what is to be said of it (`pixel_notes`). small: uint8 [32, 32], gray, whatever the image's
    shape.
    """

    header: Header
    digest: str
    values: ValueRange | None
    darkest: int
    brightest: int
    top: int
    marks: tuple[str, ...]
    small: NDArray[np.uint8]


def image_facts(source: Source, name: str, preparation: Preparation) -> ImageFacts:
    """Decodes an image of a source. Raises Unreadable."""
    with open_picture(source, name) as (stream, picture):
        header = read_header(stream, picture, preparation.bands)
        stream.seek(0)
        if header.beyond_8_bits:
            return _facts_beyond_8_bits(header, stream, picture, preparation)
        image = open_image(stream, picture, preparation)
    gray, pixels = image.convert("L"), np.asarray(image)
    upto = np.cumsum(gray.histogram())
    return ImageFacts(
        header=header,
        digest=hashlib.sha256(f"{image.mode} {image.size}".encode() + image.tobytes()).hexdigest(),
        values=None,
        darkest=int(np.flatnonzero(upto)[0]),
        brightest=int(np.searchsorted(upto, upto[-1])),
        top=int(np.searchsorted(upto, QUANTILE * upto[-1])),
        marks=(*map(str, image.info), *marks_of(np.atleast_3d(pixels).transpose(2, 0, 1))),
        small=np.asarray(gray.resize((SIDE, SIDE), Image.Resampling.BOX)),
    )


def _facts_beyond_8_bits(header: Header, stream: BinaryIO, picture: int, preparation: Preparation) -> ImageFacts:
    values = open_values(stream, picture, preparation)
    found = value_range(values)
    top = 255
    if header.why_not_8_bits is None:  # it may be taken in 8 bits, with others
        stream.seek(0)
        top = int(np.quantile(np.asarray(open_image(stream, picture, preparation)), QUANTILE))
    return ImageFacts(
        header=header,
        digest=hashlib.sha256(f"values {values.shape}".encode() + values.tobytes()).hexdigest(),
        values=found,
        darkest=0,
        brightest=0,
        top=top,
        marks=(*marks_of(values.transpose(2, 0, 1)), *([MISSING] if np.isnan(values).any() else [])),
        small=_stretched(np.nan_to_num(values.mean(axis=2), nan=found.low)),
    )


def _stretched(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """[32, 32] gray levels of values [H, W] of any range, from the lowest to the highest."""
    small = np.asarray(Image.fromarray(values).resize((SIDE, SIDE), Image.Resampling.BOX))
    low, high = float(small.min()), float(small.max())
    return ((small - low) * (255 / max(high - low, 1e-12))).round().astype(np.uint8)
