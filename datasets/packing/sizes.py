"""The size to which a set's images are brought."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...config.network import nearest_size_within
from ...config.preparation import AUTO, Preparation
from ...errors import UserError
from ..reading.decode import Header

LARGE_ENOUGH = 0.95  # share of the images that --size auto leaves out none of


def resolve_size(preparation: Preparation, headers: Mapping[str, Header]) -> tuple[int, int, str | None]:
    """(height, width, why) of the packed images; why is None unless the size was chosen.

    UserError if no size is given and they differ, or if one is smaller: only padding makes do with that.
    """
    if preparation.size == AUTO:
        return chosen_size([(header.height, header.width) for header in headers.values()], preparation.fit)
    least_height = min(header.height for header in headers.values())
    least_width = min(header.width for header in headers.values())
    if not isinstance(preparation.size, tuple):
        first, header = next(iter(headers.items()))
        for name, other in headers.items():
            if (other.height, other.width) != (header.height, header.width):
                raise UserError(
                    f"the images differ in size ({first!r} is {header.height}x{header.width}, {name!r} is "
                    f"{other.height}x{other.width}, height x width): "
                    f"give `size`, at most {min(least_height, least_width)}"
                )
        return header.height, header.width, None
    height, width = preparation.size
    small = [] if preparation.fit == "pad" else [*too_small(headers, height, width)]
    if small:
        header = headers[small[0]]
        most = min(least_height, least_width) if height == width else f"{least_height}x{least_width}"
        raise UserError(
            f"{len(small)} images are smaller than {height}x{width} (first: {small[0]!r} is "
            f"{header.height}x{header.width}, height x width): give `size` {most} or less, or remove them"
        )
    return height, width, None


def too_small(headers: Mapping[str, Header], height: int, width: int) -> dict[str, str]:
    """The images that would have to be enlarged, by name, with the reason."""
    return {
        name: f"{header.height}x{header.width}, smaller than {height}x{width}"
        for name, header in headers.items()
        if header.height < height or header.width < width
    }


def chosen_size(sizes: Sequence[tuple[int, int]], fit: str) -> tuple[int, int, str]:
    """The nearest size with a network within the median image, made smaller where too many images would be too small
    for it; padding needs that for none."""
    shapes = np.array(sizes)
    median = np.median(shapes, axis=0)
    factor, why = 1.0, ""
    if fit != "pad":
        # the share of the median at which an image is just large enough
        largest = np.sort((shapes / median).min(axis=1))
        factor = min(1.0, float(largest[int(len(largest) * (1 - LARGE_ENOUGH))]))
    if factor < 1:
        why = f", made smaller by {factor:.2f} so that {LARGE_ENOUGH:.0%} of the images are large enough"
    height, width = (int(side) for side in np.floor(median * factor + 1e-9))
    size = nearest_size_within(height, width)
    if size is None:
        raise UserError(f"`size` auto: no network can be built for {height}x{width}, give larger images")
    reason = f"the nearest size with a network within the median image of {median[0]:g}x{median[1]:g}{why}"
    return *size, f"`size` {size[0]}x{size[1]}: {reason}"
