from pathlib import Path

import albumentations as A
import numpy as np
import pytest

from stylegan_ada import UserError
from stylegan_ada.utility.classic import AUGMENTATION_PRESETS, augmenter, make_pipeline, pair_augmenter


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (8, 24, 32, 1), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("preset", AUGMENTATION_PRESETS)
def test_a_preset_changes_images_as_its_seed_says(images: np.ndarray, preset: str, channels: int) -> None:
    images = np.repeat(images, channels, axis=3)
    first, again, other = (augmenter(make_pipeline(preset, (channels, 24, 32)), seed)(images) for seed in (1, 1, 2))
    assert first.shape == images.shape
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert all(not np.array_equal(new, old) for new, old in zip(first, images, strict=True)) or preset == "photo"


def test_scans_are_never_mirrored() -> None:
    """A bright left half stays on the left."""
    image = np.zeros((200, 32, 32, 1), np.uint8)
    image[:, :, :12] = 200
    new = augmenter(make_pipeline("scan", (1, 32, 32)), 0)(image).astype(float)
    assert (new[:, :, :16].mean(axis=(1, 2, 3)) > new[:, :, 16:].mean(axis=(1, 2, 3))).all()
    defects = augmenter(make_pipeline("defect", (1, 32, 32)), 0)(image).astype(float)
    assert 0.3 < (defects[:, :, :16].mean(axis=(1, 2, 3)) > defects[:, :, 16:].mean(axis=(1, 2, 3))).mean() < 0.7


def write(path: Path, transforms: str) -> Path:
    path.write_text(f"transform: {{__class_fullname__: Compose, p: 1.0, transforms: [{transforms}]}}\n")
    return path


def test_a_pipeline_of_the_users(images: np.ndarray, tmp_path: Path) -> None:
    file = write(tmp_path / "own.yaml", "{__class_fullname__: HorizontalFlip, p: 1.0}")
    assert np.array_equal(augmenter(make_pipeline("defect", (1, 24, 32), file), 0)(images), images[:, :, ::-1])


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (
            "{__class_fullname__: HorizontalFlap, p: 1.0}",
            "no transform 'HorizontalFlap', did you mean 'HorizontalFlip'",
        ),
        ("{__class_fullname__: CenterCrop, height: 8, width: 8, p: 1.0}", "makes 8x8x1 uint8 of 24x32x1 uint8"),
        ("{__class_fullname__: ToFloat, p: 1.0}", "makes 24x32x1 float32 of 24x32x1 uint8"),
    ],
)
def test_pipelines_that_do_not_serve(tmp_path: Path, transform: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_pipeline("defect", (1, 24, 32), write(tmp_path / "own.yaml", transform))


def test_an_unknown_preset() -> None:
    with pytest.raises(UserError, match="did you mean 'scan'"):
        make_pipeline("scans", (1, 24, 32))


def test_pairs_that_change_shape_are_refused(tmp_path: Path) -> None:
    """Turned by a quarter an image of 4x6 has the numbers of one of 6x4: they must not be read as that."""
    pipeline = A.Compose([A.Transpose(p=1)])
    image, mask = np.zeros((1, 4, 6, 1), np.uint8), np.zeros((1, 4, 6, 2), np.uint8)
    with pytest.raises(UserError, match="makes 6x4x1 uint8 of 4x6x1 uint8"):
        pair_augmenter(pipeline, 0)(image, mask)


def test_masks_move_with_their_images() -> None:
    rng = np.random.default_rng(0)
    for kinds in (1, 3):
        images = rng.integers(0, 256, (6, 8, 12, 1)).astype(np.uint8)
        masks = np.repeat(images, kinds, axis=3)
        changed = pair_augmenter(A.Compose([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)]), 0)(images, masks)
        assert (changed[1] == changed[0]).all()
        assert (changed[0] != images).any()
