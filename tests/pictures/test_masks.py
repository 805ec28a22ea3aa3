import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion

from stylegan_ada.pictures.masks import COLORS, marked_kinds, mask_picture, with_contours


def test_contours_are_what_an_erosion_takes_away() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 200, (3, 160, 150, 1)).astype(np.uint8)
    y, x = np.mgrid[:160, :150]
    masks = np.stack([((x - 70) ** 2 + (y - 80) ** 2 < r * r) * 255 for r in (10, 40, 90)])[..., None].astype(np.uint8)
    found = with_contours(images, masks)
    assert found.shape == (3, 160, 150, 3)
    for image, mask, shown in zip(images, masks[..., 0] > 0, found, strict=True):
        edge = mask & ~binary_erosion(mask, border_value=1)
        assert (shown[edge] == COLORS[0]).all()
        assert np.array_equal(shown[~edge], image.repeat(3, axis=2)[~edge])


def test_small_images_are_enlarged_and_transparent_ones_lie_on_white() -> None:
    images = np.zeros((1, 16, 16, 4), np.uint8)
    found = with_contours(images, np.zeros((1, 16, 16, 2), np.uint8))
    assert found.shape == (1, 128, 128, 3)
    assert (found == 255).all()


def test_a_file_has_the_kind_that_covers_most() -> None:
    shares = np.array([[[0, 0], [127, 127], [128, 0], [200, 201], [255, 128]]], np.uint8)
    assert marked_kinds(shares).tolist() == [[0, 0, 1, 2, 1]]
    picture = mask_picture(shares)
    assert picture.mode == "P"
    assert np.asarray(picture).tolist() == [[0, 0, 1, 2, 1]]
    assert picture.convert("RGB").getpixel((2, 0)) == COLORS[0]
    assert np.asarray(mask_picture(shares[:, :, :1])).tolist() == [[0, 0, 255, 255, 255]]
    assert isinstance(picture, Image.Image)
