"""Get a packed set of images: from the cache, or by packing it first."""

from collections.abc import Callable

from ..config.preparation import Preparation
from ..errors import UserError
from ..progress import Progress
from .dataset import ImageDataset
from .masks.reading import open_masks
from .packing.cache import cache_key, read_cache
from .reading.sources import open_source


def load_dataset(
    source: str,
    preparation: Preparation = Preparation(),  # noqa: B008 - frozen
    *,
    check_shape: Callable[[int, int], object] | None = None,
    progress: Progress | None = None,
) -> ImageDataset:
    """The images of a source; decoded on first use, read from the cache after that.

    source: a folder, a .zip, a .tar, or sample:NAME. check_shape: called with height and width before any image is
    decoded; what it raises comes through. progress: called with (images done, images in all) while they are decoded.
    Raises UserError when the source or its labels are wrong, or do not go with the preparation.
    """
    with open_source(source) as opened, open_masks(opened, preparation.masks) as place:
        key = cache_key(opened, preparation, place.identity())
        found = read_cache(key)
        if found is not None:
            return found
        # imported only now: a packed cache is read without Pillow
        from .packing.pack import pack

        pack(opened, place, preparation, key, check_shape, progress)
    packed = read_cache(key)
    if packed is None:
        raise UserError(f"the cache of {source!r} was damaged while it was written: run it again")
    return packed
