"""Masks as pictures: as files whose values are kinds, and as contours on their images."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .files import as_picture

MARKED = 128  # of 255: the share of a pixel from which on it counts as marked
SHOWN_SIDE = 128  # pixels: smaller images are enlarged by a whole factor, so that a contour hides little
# of kinds: vermilion, sky blue, yellow, bluish green, which colour-blind people tell apart (Okabe and Ito, 2008)
COLORS = ((213, 94, 0), (86, 180, 233), (240, 228, 66), (0, 158, 115))


def values_of(kinds: Sequence[str]) -> dict[str, int]:
    """What stands for each kind in a mask's file: 255 where there is but one, else 1, 2, ..."""
    return {kinds[0]: 255} if len(kinds) == 1 else {kind: index for index, kind in enumerate(kinds, start=1)}


def marked_kinds(shares: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[..., H, W]: of shares [..., H, W, K] the kind that has most of each pixel, from 1; 0 where none has half."""
    return np.where(shares.max(axis=-1) >= MARKED, shares.argmax(axis=-1) + 1, 0).astype(np.uint8)


def mask_picture(shares: NDArray[np.uint8]) -> Image.Image:
    """Of [H, W, K]: black and white for one kind; else a palette whose indices are those of `values_of`."""
    if shares.shape[2] == 1:
        return Image.fromarray(np.where(shares[:, :, 0] >= MARKED, np.uint8(255), np.uint8(0)))
    picture = Image.fromarray(marked_kinds(shares), mode="P")
    picture.putpalette([0, 0, 0, *(value for color in COLORS for value in color)])
    return picture


def with_contours(images: NDArray[np.uint8], masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[N, s H, s W, 3]: images [N, H, W, C], enlarged if they are small, with the edges of what masks [N, H, W, K]
    mark, in a colour for each kind."""
    factor = max(1, -(-SHOWN_SIDE // max(images.shape[1:3])))
    shown = [_on_white(as_picture(image)) for image in images]
    enlarged = [array.repeat(factor, axis=1).repeat(factor, axis=2) for array in (np.stack(shown), masks)]
    return with_edges(enlarged[0], enlarged[1])


def encode_mask(shares: NDArray[np.uint8]) -> bytes:
    """[H, W, K] -> the file of `mask_picture`, a PNG."""
    file = io.BytesIO()
    mask_picture(shares).save(file, "PNG")
    return file.getvalue()


def marked_on(images: NDArray[np.uint8], masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`with_contours` where there are masks, otherwise the images as they are."""
    return with_contours(images, masks) if masks.shape[3] else images


def with_edges(images: NDArray[np.uint8], masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images [N, H, W, 3] with the outermost pixels of what masks [N, H, W, K] mark, in a colour for each kind."""
    painted = images.copy()
    for kind in range(masks.shape[3]):
        marked = masks[:, :, :, kind] >= MARKED
        painted[marked & ~_inside(marked)] = COLORS[kind]
    return painted


def _on_white(picture: Image.Image) -> NDArray[np.uint8]:
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("RGB"))
    picture = picture.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB"))


def _inside(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[N, H, W]: pixels whose four neighbours are marked, too; beyond the border all are."""
    padded = np.pad(marked, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    return padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
