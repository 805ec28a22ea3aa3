"""Classic augmentation by albumentations: what synthetic images have to beat."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError, first_line, nearest
from ..libraries.albumentations_files import import_albumentations, read_pipeline

AUGMENTATION_PRESETS = ("defect", "scan", "photo")

Augment = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]  # uint8 [N, H, W, C], and so is what comes back


def make_pipeline(preset: str, image_shape: tuple[int, int, int], file: Path | None = None) -> Any:
    """The albumentations.Compose of a preset, or of a file that albumentations has saved. image_shape: (C, H, W).

    UserError for an unknown preset, a file that `read_pipeline` refuses, or one that does not serve such images.
    """
    if file is None:
        if preset not in AUGMENTATION_PRESETS:
            raise UserError(f"`preset` {preset}: no such choice, {nearest(preset, AUGMENTATION_PRESETS)}")
        transforms = {"defect": _defect, "scan": _scan, "photo": _photo}[preset](image_shape)
        return import_albumentations().Compose(transforms)
    pipeline = read_pipeline(file)
    channels, height, width = image_shape
    try:
        augmenter(pipeline, 0)(np.full((4, height, width, channels), 127, np.uint8))
    except UserError as error:
        raise UserError(f"{file}: {error}") from None
    return pipeline


def augmenter(pipeline: Any, seed: int) -> Augment:
    """Applies a pipeline to each image in turn, as the seed decides. Not from several threads."""
    pipeline.set_random_seed(seed)

    def augment(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        changed = np.empty_like(images)
        for index, image in enumerate(images):
            try:
                new = pipeline(image=image)["image"]
            except Exception as error:  # each transform raises its own kinds
                raise UserError(f"the pipeline fails on images of {_shape(image)}: {first_line(error)}") from None
            changed[index] = _checked(new, image)
        return changed

    return augment


def pair_augmenter(pipeline: Any, seed: int) -> Callable[..., tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """As `augmenter`, of images [N, H, W, C] with masks [N, H, W, K], which move with them."""
    pipeline.set_random_seed(seed)

    def augment(images: NDArray[np.uint8], masks: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        changed = np.empty_like(images), np.empty_like(masks)
        for index, (image, mask) in enumerate(zip(images, masks, strict=True)):
            try:
                new = pipeline(image=image, mask=mask)
            except Exception as error:  # each transform raises its own kinds
                raise UserError(f"the pipeline fails on images of {_shape(image)}: {first_line(error)}") from None
            for whole, name, before in zip(changed, ("image", "mask"), (image, mask), strict=True):
                after = new[name]
                # a last axis of one is lost on the way of some transforms
                whole[index] = _checked(after[:, :, None] if after.ndim == 2 else after, before)
        return changed

    return augment


def _checked(new: NDArray[Any], before: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if new.shape != before.shape or new.dtype != np.uint8:
        raise UserError(f"the pipeline makes {_shape(new)} of {_shape(before)}: leave out what changes size or type")
    return new


def _shape(image: NDArray[Any]) -> str:
    return "x".join(map(str, image.shape)) + f" {image.dtype}"


def _defect(image_shape: tuple[int, int, int]) -> list[Any]:
    """A part under a fixed camera: it may lie turned over, a little aside, lit otherwise, partly hidden."""
    A = import_albumentations()
    return [
        A.HorizontalFlip(p=0.5),
        A.VerticalFlip(p=0.5),
        A.Affine(**_small_moves(8), border_mode=4, p=0.8),
        *_light_and_noise(A),
        _holes(A),
    ]


def _scan(image_shape: tuple[int, int, int]) -> list[Any]:
    """A body has a left and a right, so nothing is mirrored; tissue deforms, and beyond the edge there is no more."""
    A = import_albumentations()
    return [
        A.Affine(**_small_moves(10), border_mode=0, p=0.8),
        A.ElasticTransform(alpha=20, sigma=6, p=0.3),
        *_light_and_noise(A),
    ]


def _photo(image_shape: tuple[int, int, int]) -> list[Any]:
    """Things of any size and place in the picture, mirrored, in any light and colour of light."""
    A = import_albumentations()
    channels, height, width = image_shape
    return [
        A.RandomResizedCrop((height, width), scale=(0.6, 1.0), ratio=(0.8, 1.25), area_for_downscale="image"),
        A.HorizontalFlip(p=0.5),
        A.Affine(**_small_moves(10), border_mode=4, p=0.5),
        A.ColorJitter(brightness=(0.7, 1.3), contrast=(0.7, 1.3), saturation=(0.7, 1.3), hue=(-0.03, 0.03), p=0.8),
        *([A.ToGray(p=0.1)] if channels == 3 else []),
        *_light_and_noise(A)[2:],
        _holes(A),
    ]


def _small_moves(degrees: float) -> dict[str, tuple[float, float]]:
    return {
        "scale": (0.9, 1.1),
        "translate_percent": (-0.06, 0.06),
        "rotate": (-degrees, degrees),
        "shear": (-4, 4),
    }


def _light_and_noise(A: Any) -> list[Any]:
    return [
        A.RandomBrightnessContrast(0.2, 0.2, p=0.6),
        A.RandomGamma((80, 125), p=0.3),
        A.OneOf([A.GaussNoise(std_range=(0.01, 0.05)), A.GaussianBlur(blur_limit=0, sigma_limit=(0.2, 0.8))], p=0.3),
    ]


def _holes(A: Any) -> Any:
    """Random erasing (arXiv 1708.04896)."""
    side = (0.1, 0.25)
    return A.CoarseDropout(num_holes_range=(1, 2), hole_height_range=side, hole_width_range=side, p=0.3)
