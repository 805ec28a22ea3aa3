from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.metrics.mathematics.thumbnails import small_copies, thumbnails
from stylegan_ada.metrics.networks.extractor import resize


@pytest.mark.parametrize("shape", [(64, 64, 1), (32, 48, 3), (16, 16, 1), (8, 20, 1)])
def test_they_are_those_of_pillow(shape: tuple[int, int, int]) -> None:
    """Boxes of equal weight, where sides are multiples of 16; shorter sides stay."""
    images = np.random.default_rng(0).integers(0, 256, (300, *shape), np.uint8)
    height, width = min(shape[0], 16), 16
    found = thumbnails(images).reshape(300, shape[2], height, width)
    for index in (0, 255, 299):
        for channel in range(shape[2]):
            plane = Image.fromarray(images[index, :, :, channel].astype(np.float32))
            if shape[1] % 16 == 0:
                expected = np.asarray(plane.resize((width, height), Image.Resampling.BOX))
                np.testing.assert_allclose(found[index, channel], expected, atol=1e-3)
    assert found.shape == (300, shape[2], height, width)


@pytest.mark.parametrize(("shape", "size"), [((128, 64, 3), (64, 32)), ((64, 192, 1), (21, 64)), ((64, 8, 4), (64, 8))])
def test_small_copies_have_at_most_64_pixels_a_side(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    found = small_copies(images)
    assert found.dtype == np.uint8
    assert found.shape == (3, shape[2], *size)
    if shape[0] == 64 == size[0]:
        np.testing.assert_array_equal(found, images.transpose(0, 3, 1, 2))
    if shape[0] == 128:
        means = images.reshape(3, 64, 2, 32, 2, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
        np.testing.assert_allclose(found, means, atol=0.5)


def test_images_of_a_read_only_memory_map(tmp_path: Path) -> None:
    """As the cache and unpacked sets are read."""
    np.save(tmp_path / "images.npy", np.zeros((2, 16, 16, 1), np.uint8))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert not thumbnails(images).any()
    assert not resize(images, 16, 16).any()
