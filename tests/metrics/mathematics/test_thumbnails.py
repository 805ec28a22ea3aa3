from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.metrics.mathematics.thumbnails import thumbnails
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


def test_images_of_a_read_only_memory_map(tmp_path: Path) -> None:
    """As the cache and unpacked sets are read."""
    np.save(tmp_path / "images.npy", np.zeros((2, 16, 16, 1), np.uint8))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert not thumbnails(images).any()
    assert not resize(images, 16, 16).any()
