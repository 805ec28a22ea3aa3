"""Whether an image shows the same picture as another: pixel for pixel, or saved again, brighter, a little noisier."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from ..dataset import Pictures

SIDE = 32  # pixels that are hashed
LOW = 8  # frequencies per axis
MOST_BITS = 8  # of 64, between hashes of one picture
LEAST_CORRELATION = 0.99
CHUNK = 1024


def same_pictures(images: Pictures, others: Pictures) -> NDArray[np.int64]:
    """[N]: for each of `images`, uint8 [N, C, H, W], the index of one of `others` [M, C, H, W] that is the same
    picture, -1 where none is.

    The same is what has the same pixels; or a perceptual hash at most 8 bits apart and pixels that correlate above
    0.99 in what the mean of `others` leaves of them. The hash alone would not do: photographs of one kind of part, all
    lit and framed alike, share hashes.
    """
    found = np.full(len(images), -1)
    if not len(others) or not len(images):
        return found
    hashes, other_hashes = perceptual_hashes(images), perceptual_hashes(others)
    mean = _mean(others)
    for start in range(0, len(images), CHUNK):
        bits = np.bitwise_count(hashes[start : start + CHUNK, None] ^ other_hashes)
        for row in np.flatnonzero((bits <= MOST_BITS).any(axis=1)):
            near = np.flatnonzero(bits[row] <= MOST_BITS)
            alike = _correlations(images[start + row], others[near], mean)
            if alike.max() > LEAST_CORRELATION:
                found[start + row] = near[alike.argmax()]
    return found


def same_pairs(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """[P, 2], sorted: the pairs (i, j), i < j, of gray images uint8 [N, H, W] that show the same picture.

    As for `same_pictures`, but what correlates is what the mean of all the other images leaves of the two. Images
    without contrast are in no pair. Memory beside the images is that of a few blocks of 1024 x 1024 pairs.
    """
    if len(images) < 2:
        return np.zeros((0, 2), np.int64)
    hashes = perceptual_hashes(images[:, None])
    blocks = range(0, len(images), CHUNK)
    total = np.sum([_centred(images[start : start + CHUNK]).sum(axis=0) for start in blocks], axis=0)
    pairs = []
    for start in blocks:
        for other in blocks[start // CHUNK :]:
            bits = np.bitwise_count(hashes[start : start + CHUNK, None] ^ hashes[other : other + CHUNK])
            near = np.triu(bits <= MOST_BITS, k=1 if other == start else -CHUNK)
            rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
            if len(rows):
                a, b = _centred(images[start + rows]), _centred(images[other + columns])
                same = near[np.ix_(rows, columns)] & (_pair_correlations(a, b, total) > LEAST_CORRELATION)
                found = np.argwhere(same)
                pairs.append(np.stack([start + rows[found[:, 0]], other + columns[found[:, 1]]], axis=1))
    found = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def perceptual_hashes(images: Pictures) -> NDArray[np.uint64]:
    """[N]: 64 bits of each image, uint8 [N, C, H, W]: which of the 8 x 8 lowest frequencies of its cosine transform, at
    32 x 32 gray pixels, lie above their median without the constant one (Zauner 2010)."""
    places = np.arange(SIDE)
    basis = np.cos(np.pi * (2 * places + 1) * places[:LOW, None] / (2 * SIDE))  # [LOW, SIDE]
    hashes = []
    for start in range(0, len(images), CHUNK):
        gray = torch.from_numpy(images[start : start + CHUNK].astype(np.float32)).mean(1, keepdim=True)
        small = interpolate(gray, (SIDE, SIDE), mode="bilinear", antialias=True)[:, 0].double().numpy()
        rows = (basis @ small @ basis.T).reshape(len(small), LOW * LOW)
        rows = rows.round(6)  # what is nothing in a symmetric image does not get its sign from the machine's rounding
        bits = rows > np.median(rows[:, 1:], axis=1, keepdims=True)
        hashes.append(np.packbits(bits, axis=1).view(np.uint64)[:, 0])
    return np.concatenate(hashes)


def _mean(images: Pictures) -> NDArray[np.float64]:
    """[C, H, W]"""
    sums = [images[start : start + CHUNK].sum(axis=0, dtype=np.float64) for start in range(0, len(images), CHUNK)]
    return np.sum(sums, axis=0) / len(images)


def _correlations(
    image: NDArray[np.uint8], others: NDArray[np.uint8], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[M]: of one image with each of the others, of what `mean`, brightened or not, leaves of them; 1 for the same
    pixels, whatever they are."""
    common = (mean - mean.mean()).ravel()
    common /= max(float(np.linalg.norm(common)), 1e-12)
    a, b = image.ravel().astype(np.float64), others.reshape(len(others), -1).astype(np.float64)
    a, b = a - a.mean(), b - b.mean(axis=1, keepdims=True)
    a, b = a - (a @ common) * common, b - (b @ common)[:, None] * common
    norms = np.linalg.norm(a) * np.linalg.norm(b, axis=1)
    same = (others == image).reshape(len(others), -1).all(axis=1)
    return np.where(same, 1.0, np.divide(b @ a, norms, out=np.zeros(len(b)), where=norms > 1e-6))


def _centred(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[N, pixels], each with a mean of 0."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    return rows - rows.mean(axis=1, keepdims=True)


def _pair_correlations(
    a: NDArray[np.float64], b: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[A, B]: of centred images a [A, pixels] with b [B, pixels], of what the others, of which `total` - a - b is the
    sum, leave of them. From inner products alone, so that no pair's own mean image is made."""
    products = a @ b.T
    squares_a, squares_b = (a * a).sum(axis=1)[:, None], (b * b).sum(axis=1)
    with_a, with_b = (a @ total)[:, None], b @ total
    common_a, common_b = with_a - squares_a - products, with_b - squares_b - products  # with the sum of the others
    common = total @ total - with_a - with_b - common_a - common_b  # that sum with itself
    scale = np.divide(1, common, out=np.zeros_like(common), where=common > 1e-6)
    left_a, left_b = squares_a - scale * common_a**2, squares_b - scale * common_b**2
    norms = np.sqrt(np.maximum(left_a, 0) * np.maximum(left_b, 0))
    enough = (left_a > 1e-6 * squares_a) & (left_b > 1e-6 * squares_b)
    return np.divide(products - scale * common_a * common_b, norms, out=np.zeros_like(norms), where=enough)
