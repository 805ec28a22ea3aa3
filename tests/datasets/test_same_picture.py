import io

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from stylegan_ada.datasets.same_picture import perceptual_hashes, same_pictures


@pytest.fixture
def pictures():
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


def saved_again(image, quality):
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
def test_a_changed_copy_is_found_among_others_of_its_kind(pictures, change):
    wanted = [31, 3, 17]
    copies = np.stack([change(pictures[index]) for index in wanted])
    assert same_pictures(copies, pictures).tolist() == wanted


def test_pictures_of_one_kind_are_not_the_same(pictures):
    assert same_pictures(pictures[:20], pictures[20:]).tolist() == [-1] * 20
    assert same_pictures(pictures[:3], pictures[:0]).tolist() == [-1] * 3
    assert same_pictures(pictures[:3, :, ::-1], pictures).tolist() == [-1] * 3


def test_without_any_contrast_only_the_same_pixels_count():
    flat = np.stack([np.full((3, 16, 16), value, np.uint8) for value in (10, 11, 200)])
    assert same_pictures(flat[[2]], flat).tolist() == [2]
    assert same_pictures(flat[[2]], flat[:2]).tolist() == [-1]


def test_the_hash_is_the_sign_of_low_frequencies(pictures):
    """Against scipy's cosine transform, of an image that needs no scaling."""
    image = pictures[:1, :, :32, :32]
    low = dctn(image[0, 0].astype(float), type=2)[:8, :8].ravel()
    bits = low > np.median(low[1:])
    assert perceptual_hashes(image).view(np.uint8).tolist() == np.packbits(bits).tolist()
