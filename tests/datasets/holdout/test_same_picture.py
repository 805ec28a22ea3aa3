import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from stylegan_ada.datasets.holdout.same_picture import (
    CHUNK,
    _pair_correlations,
    perceptual_hashes,
    same_pairs,
    same_pictures,
)


@pytest.fixture
def pictures() -> np.ndarray:
    """uint8 [40, 1, 48, 48]: blots, on one bright frame."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:48, :48]
    frame = 120 + 60 * ((x // 8 + y // 8) % 2)
    made = []
    for _ in range(40):
        centres = rng.uniform(0, 48, (6, 2))
        blots = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / 40) * rng.uniform(-90, 90) for a, b in centres)
        made.append(np.clip(frame + blots, 0, 255).astype(np.uint8)[None])
    return np.stack(made)


@pytest.fixture
def gray(pictures: np.ndarray) -> np.ndarray:
    """uint8 [40, 48, 48]"""
    return pictures[:, 0]


def saved_again(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image[0]).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))[None]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        lambda image: saved_again(image, 95),
        lambda image: (image * 0.9 + 5).astype(np.uint8),
        lambda image: np.clip(image + np.random.default_rng(1).normal(0, 1, image.shape), 0, 255).astype(np.uint8),
    ],
    ids=["itself", "jpeg", "darker", "noisier"],
)
def test_a_changed_copy_is_found_among_others_of_its_kind(pictures: np.ndarray, change: Callable[..., Any]) -> None:
    wanted = [31, 3, 17]
    copies = np.stack([change(pictures[index]) for index in wanted])
    assert same_pictures(copies, pictures).tolist() == wanted


def test_pictures_of_one_kind_are_not_the_same(pictures: np.ndarray) -> None:
    assert same_pictures(pictures[:20], pictures[20:]).tolist() == [-1] * 20
    assert same_pictures(pictures[:3], pictures[:0]).tolist() == [-1] * 3
    assert same_pictures(pictures[:3, :, ::-1], pictures).tolist() == [-1] * 3


def test_without_any_contrast_only_the_same_pixels_count() -> None:
    flat = np.stack([np.full((3, 16, 16), value, np.uint8) for value in (10, 11, 200)])
    assert same_pictures(flat[[2]], flat).tolist() == [2]
    assert same_pictures(flat[[2]], flat[:2]).tolist() == [-1]


def test_the_hash_is_the_sign_of_low_frequencies(pictures: np.ndarray) -> None:
    """Against scipy's cosine transform, of an image that needs no scaling."""
    image = pictures[:1, :, :32, :32]
    low = dctn(image[0, 0].astype(float), type=2)[:8, :8].ravel()
    bits = low > np.median(low[1:])
    assert perceptual_hashes(image).view(np.uint8).tolist() == np.packbits(bits).tolist()


@pytest.mark.parametrize("count", [2, 40])
def test_pairs_of_one_set(gray: np.ndarray, count: int) -> None:
    """The first picture again as a JPEG, and the last one twice: darker, and noisier."""
    rng = np.random.default_rng(1)
    originals = gray[:count]
    noisier = np.clip(originals[-1] + rng.normal(0, 1, originals[-1].shape), 0, 255).astype(np.uint8)
    copies = [saved_again(originals[[0]], 95)[0], (originals[-1] * 0.9 + 5).astype(np.uint8), noisier]
    pairs = same_pairs(np.stack([*originals, *copies]))
    wanted = {(0, count), (count - 1, count + 1), (count - 1, count + 2), (count + 1, count + 2)}
    assert pairs.tolist() == [list(pair) for pair in sorted(wanted)]


def test_pairs_are_found_from_block_to_block(gray: np.ndarray) -> None:
    """The pictures of the first block come again in the next ones, of which other pictures fill the rest."""
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (2 * CHUNK + 100, 32, 32), dtype=np.uint8)
    small = gray[:, 8:40, 8:40]
    places = {0: 5, 1: CHUNK - 1, 2: CHUNK, 3: 2 * CHUNK + 99}
    for picture, place in places.items():
        images[place] = small[picture]
    again = {0: CHUNK + 7, 1: 2 * CHUNK + 3, 2: 30, 3: 2 * CHUNK + 98}
    for picture, place in again.items():
        images[place] = saved_again(small[[picture]], 95)[0]
    wanted = sorted(sorted((places[picture], again[picture])) for picture in places)
    assert same_pairs(images).tolist() == wanted


def test_no_pairs_among_pictures_of_one_kind_or_without_contrast(gray: np.ndarray) -> None:
    assert same_pairs(gray).tolist() == []
    assert same_pairs(gray[:1]).tolist() == []
    assert same_pairs(np.zeros((0, 8, 8), np.uint8)).tolist() == []
    assert same_pairs(np.full((3, 8, 8), 7, np.uint8)).tolist() == []


def test_what_all_others_have_in_common_does_not_count(gray: np.ndarray) -> None:
    """By the definition, with the mean image of the other 38."""
    rows = gray[:, 4:36, 4:36].reshape(40, -1).astype(float)
    rows -= rows.mean(axis=1, keepdims=True)
    found = _pair_correlations(rows[:10], rows[10:], rows.sum(axis=0))
    for first, second in ((0, 10), (3, 29), (9, 39)):
        mean = np.delete(rows, [first, second], axis=0).mean(axis=0)
        left = [row - mean * (row @ mean) / (mean @ mean) for row in rows[[first, second]]]
        assert found[first, second - 10] == pytest.approx(np.corrcoef(left)[0, 1])
