"""The choice of an image's bands that are its gray values or colours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from .unreadable import Unreadable

NO_COLORS = 0
MOST_NAMED = 6


@dataclass(frozen=True)
class Bands:
    """The bands of a file that has others than gray, red, green, blue and alpha. names: of all of them, in words. own:
    how many of the first are the image's colours, as the file says; NO_COLORS where it does not."""

    names: tuple[str, ...]
    own: int

    def __str__(self) -> str:
        if len(set(self.names)) == 1:
            return f"{len(self.names)} bands {self.names[0]}"
        words = ", ".join(self.names[:MOST_NAMED]) + (", ..." if len(self.names) > MOST_NAMED else "")
        return f"{len(self.names)} bands ({words})"


def chosen_bands(samples: NDArray[Any], bands: tuple[int, ...]) -> NDArray[Any]:
    """[H, W, len(bands)] of [H, W, S]; bands are counted from 1. Raises Unreadable for one that is not there."""
    if max(bands) > samples.shape[2]:
        raise Unreadable(f"it has {samples.shape[2]} bands, `bands` asks for number {max(bands)}")
    return samples[:, :, np.array(bands) - 1]


def require_colors(bands_of: Mapping[str, Bands | None]) -> None:
    """Raises UserError if the bands of an image have to be chosen. bands_of: by name, None where there is no choice."""
    unclear = {name: bands for name, bands in bands_of.items() if bands is not None and bands.own == NO_COLORS}
    if unclear:
        name, bands = next(iter(unclear.items()))
        raise UserError(
            f"{len(unclear)} images have {bands}, which their files do not call colours (first: {name!r}): choose one "
            "or three of them with `bands`, such as 1 or 1,2,3"
        )
