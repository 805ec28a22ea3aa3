"""Some images of a set, read when they are asked for."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Pictures(Protocol):
    """uint8 images [N, C, H, W]: an array, a memory map, or a Part."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: Any) -> NDArray[np.uint8]: ...


class Part:
    """The images `members`, int64 [n], of `images`. Indexing by a number, a slice or places copies
    those into memory."""

    def __init__(self, images: Pictures, members: NDArray[np.int64]):
        self._images, self._members = images, members

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, places: Any) -> NDArray[np.uint8]:
        return self._images[self._members[places]]
