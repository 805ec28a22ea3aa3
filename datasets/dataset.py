"""A packed set of images with their labels, and some of its images."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..labels.attribute import Attribute, Row, encoded_rows, label_width
from ..labels.texts import label_text


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images of one size with their classes, as `load_dataset` gives them.

    images: uint8 [N, C, H, W], C is 1, 3, or 4 (RGBA, the colours multiplied by alpha); a
    read-only memory map of the cache.
    labels: int64 [N] class indices; None when unlabelled. classes: their names, () when unlabelled.
    attributes, rows: what images are labelled by, where that is not one class, and each image's values; classes are
    then the combinations of values that images have, numbers left out (`labels.combination_name`).
    names: the file of each image, relative to the source, with its number where a file holds
    several (`pictures_of_files`). skipped: (file, reason) of those that could not be read, or are too small.
    fingerprint: a digest of pixels, names, labels, classes and options; the same wherever the data lie.
    levels: uint16 [N, C, H, W] where the images have more than 8 bits, a memory map; 0 and 65535 stand for the values
    of `window`, (low, high) in the images' own units. `images` is then the same in 8 bits. None for 8-bit images.
    window_from: where the window is from, in words.
    masks: uint8 [N, K, H, W], the share of each pixel that each of `mask_kinds` covers, 255 for all of it; a memory
    map. None where images come alone.
    groups: what each image belongs to (a patient, a part), by a rule or labels.csv; without either, the file if files
    hold several images, otherwise None. notes: lines on what was done with the files, and why.
    """

    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    fingerprint: str
    groups: tuple[str, ...] | None = None
    levels: np.ndarray | None = None
    window: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    window_from: str | None = None
    attributes: tuple[Attribute, ...] = ()
    rows: tuple[Row, ...] = ()
    masks: np.ndarray | None = None
    mask_kinds: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def c_dim(self) -> int:
        """The length of a label vector: the number of classes, or the widths of all attributes; 0 when unlabelled."""
        return label_width(self.attributes) if self.attributes else len(self.classes)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)"""
        _, channels, height, width = self.images.shape
        return channels, height, width

    def label_vectors(self, indices: ArrayLike) -> NDArray[np.float32]:
        """float32 [n, c_dim]: label vectors of the images at `indices` (int [n]); [n, 0] when unlabelled."""
        indices = np.asarray(indices, dtype=np.int64)
        if self.attributes:
            return self._vectors[indices]
        if self.labels is None:
            return np.zeros((len(indices), 0), np.float32)
        return (self.labels[indices, None] == np.arange(self.c_dim)).astype(np.float32)

    def label_texts(self, indices: ArrayLike) -> list[str]:
        """The labels of the images at `indices` as text: class names, or `labels.texts.label_text`."""
        if self.attributes:
            return [label_text(self.attributes, self.rows[index]) for index in np.asarray(indices)]
        return [] if self.labels is None else [self.classes[label] for label in self.labels[np.asarray(indices)]]

    def value_indices(self, attribute: str) -> NDArray[np.int64]:
        """int64 [N]: one number for all images of one value of an attribute, or of none."""
        place = [one.name for one in self.attributes].index(attribute)
        found = {value: index for index, value in enumerate(dict.fromkeys(row[place] for row in self.rows))}
        return np.array([found[row[place]] for row in self.rows])

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """float32 [N, c_dim], of all images."""
        return encoded_rows(self.attributes, self.rows)


class Pictures(Protocol):
    """uint8 images [N, C, H, W]: an array, a memory map, or an ImageSubset."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: Any) -> NDArray[np.uint8]: ...


class ImageSubset:
    """The images `members`, int64 [n], of `images`. Indexing by a number, a slice or places copies
    those into memory."""

    def __init__(self, images: Pictures, members: NDArray[np.int64]):
        self._images, self._members = images, members

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, places: Any) -> NDArray[np.uint8]:
        return self._images[self._members[places]]
