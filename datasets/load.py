"""Get a packed set of images: from the cache, or by packing it first."""

from collections.abc import Callable

from ..errors import UserError
from .cache import cache_key, read_cache
from .dataset import ImageDataset
from .options import check_options
from .progress import Progress
from .sources import open_source


def load_dataset(
    source: str,
    *,
    size: int | tuple[int, int] | str | None,
    use_labels: bool = True,
    fit: str = "crop",
    background: str = "white",
    pages: str = "first",
    channels: int | None = None,
    deep: bool | None = None,
    window: tuple[float, float] | None = None,
    check_shape: Callable[[int, int], object] | None = None,
    progress: Progress | None = None,
) -> ImageDataset:
    """The images of a source; decoded on first use, read from the cache after that.

    source: a folder, a .zip, or sample:NAME. size: in pixels, the side of a square or (height, width); None takes the
    images' own size, which must be one; "auto" chooses one by the median image, and leaves out those that are too small
    for it. pages: "first" or "all", of files that hold several pictures. fit: "crop" (the centre), "pad" or "stretch".
    background: behind transparent pixels and around padded images, a colour, "edge" or "reflect" (as `DataConfig` has
    it). channels: 1, 3, or 4 (RGBA, the colours multiplied by alpha); None is 1 if no image has colour, else 3. deep:
    whether to keep what images have beyond 8 bits; None does so where all of them have it. window: the values that
    become black and white then; None: the lowest and the highest of all. check_shape: called with height and width
    before any image is decoded; what it raises comes through. progress: called with (images done, images in all) while
    they are decoded.
    Raises UserError when the source, its labels or the options are wrong.
    """
    options = check_options(size, use_labels, fit, channels, deep, window, background, pages)
    with open_source(source) as opened:
        key = cache_key(opened, options)
        found = read_cache(key)
        if found is not None:
            return found
        # imported only now: a packed cache is read without Pillow
        from .pack import pack

        pack(opened, options, key, check_shape, progress)
    packed = read_cache(key)
    if packed is None:
        raise UserError(f"the cache of {source!r} was damaged while it was written: run it again")
    return packed
