"""An image through a pipeline, and whether a pipeline can do what is asked of it with the images of a set."""

import hashlib
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from ...errors import UserError, first_line
from ..reading.decode import Header
from ..reading.opening import open_image, open_picture
from ..reading.sources import Source
from ..reading.unreadable import Unreadable
from .presets import INTER_AREA

RESIZING = ("Resize", "SmallestMaxSize", "LongestMaxSize", "RandomResizedCrop", "RandomSizedCrop", "RandomScale")


class Preparer:
    """A pipeline (an albumentations.Compose) that makes images of `size` (height, width)."""

    def __init__(self, pipeline: Any, size: tuple[int, int]):
        self._pipeline = pipeline
        self._size = size
        self._lock = threading.Lock()  # a pipeline has but one state of its random numbers
        self._resizing = [leaf for leaf in _leaves(pipeline) if type(leaf).__name__ in RESIZING]

    def image(self, source: Source, name: str) -> Image.Image:
        """The prepared image, "L" or "RGB". Raises Unreadable where the file cannot be read, or the pipeline fails or
        makes something else. Random numbers follow from the name, so that neither order nor threads matter."""
        with open_picture(source, name) as (stream, picture):
            pixels = np.array(open_image(stream, picture))
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        try:
            with self._lock:
                self._pipeline.set_random_seed(seed)
                made = self._pipeline(image=pixels)["image"]
        except Exception as error:  # albumentations and OpenCV raise nearly anything
            raise Unreadable(f"the pipeline fails: {first_line(error)}") from None
        return Image.fromarray(self._checked(made))

    def too_small(self, header: Header) -> bool:
        """Whether the pipeline would enlarge an image. One that only crops and pads enlarges none."""
        smaller = header.height < self._size[0], header.width < self._size[1]
        names = {type(leaf).__name__ for leaf in self._resizing}
        return bool(names) and (all(smaller) if names == {"LongestMaxSize"} else any(smaller))

    def try_on(self, source: Source, headers: Mapping[str, Header]) -> list[str]:
        """Tries the pipeline on the first image of each of Pillow's modes. Returns what albumentations warns of.

        UserError, which names the image, where the pipeline fails or makes something else than asked for.
        """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.filterwarnings("ignore", message="The image is already gray")  # a set may have both
            for mode in sorted({header.mode for header in headers.values()}):
                name = _first_readable(source, [name for name, header in headers.items() if header.mode == mode])
                if name is None:
                    continue
                try:
                    self.image(source, name)
                except Unreadable as reason:
                    raise UserError(f"{name!r} (mode {mode}): {reason}") from None
        return sorted({first_line(warning.message) for warning in caught if isinstance(warning.message, Warning)})

    def aliasing(self, headers: Mapping[str, Header]) -> list[str]:
        """The transforms that leave out pixels when they shrink an image, as far as there is one to shrink."""
        height, width = self._size
        if not any(header.height > height or header.width > width for header in headers.values()):
            return []
        return sorted({type(leaf).__name__ for leaf in self._resizing if not _by_area(leaf)})

    def _checked(self, made: Any) -> np.ndarray:
        """uint8 [H, W] or [H, W, 3]."""
        if not isinstance(made, np.ndarray) or made.dtype != np.uint8:
            kind = getattr(made, "dtype", type(made).__name__)
            raise Unreadable(
                f"the pipeline makes {kind} where an image has uint8: leave Normalize, ToFloat, ToTensor out"
            )
        if made.shape[:2] != self._size:
            found, wanted = ("x".join(map(str, shape)) for shape in (made.shape[:2], self._size))
            raise Unreadable(f"the pipeline makes {found} pixels where `size` is {wanted}: change one of them")
        if made.ndim == 3 and made.shape[2] not in (1, 3):
            raise Unreadable(f"the pipeline makes {made.shape[2]} channels where an image has 1 or 3")
        return made[:, :, 0] if made.ndim == 3 and made.shape[2] == 1 else made


def _leaves(transform: Any) -> Iterator[Any]:
    if not hasattr(transform, "transforms"):
        yield transform
        return
    for inner in transform.transforms:
        yield from _leaves(inner)


def _by_area(leaf: Any) -> bool:
    return leaf.interpolation == INTER_AREA or leaf.area_for_downscale is not None


def _first_readable(source: Source, names: list[str]) -> str | None:
    for name in names:
        try:
            with open_picture(source, name) as (stream, picture):
                open_image(stream, picture)
        except Unreadable:
            continue
        return name
    return None
