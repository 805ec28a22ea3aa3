"""Folders, zips and samples of labelled images, packed once into a memory-mapped cache."""

if __name__ != "stylegan_ada.datasets":
    raise ImportError(
        f"this is stylegan_ada.datasets, not {__name__!r}: run from another folder, or install the package"
    )

from ..progress import Progress
from .dataset import ImageDataset, ImageSubset, Pictures
from .holdout.same_picture import same_pictures
from .holdout.split import holdout_split
from .load import load_dataset
from .mirror import check_mirror, mirror_images
from .packing.cache import cache_folder
from .reading.samples import sample_licence
from .sampler import balanced, image_order

__all__ = [
    "ImageDataset",
    "ImageSubset",
    "Pictures",
    "Progress",
    "balanced",
    "cache_folder",
    "check_mirror",
    "holdout_split",
    "image_order",
    "load_dataset",
    "mirror_images",
    "same_pictures",
    "sample_licence",
]
