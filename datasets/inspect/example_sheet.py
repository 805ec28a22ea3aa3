"""A picture of some images of a source: a row for each class."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ...config.preparation import Preparation
from ...pictures.grids import fit
from ...pictures.masks import with_edges
from ..labels.chosen import ChosenImages, choose_images
from ..masks.area import fitted_mask
from ..masks.reading import open_masks
from ..reading.opening import PLAIN, open_picture, open_shown, read_headers
from ..reading.picture_names import file_of
from ..reading.sources import open_source
from ..reading.unreadable import Unreadable

CELL = 96  # pixels, the side of a cell
GAP = 4
COLUMNS = 8
MOST_ROWS = 100


def example_sheet(source: str, preparation: Preparation = PLAIN, *, leave_out: Collection[str] = ()) -> Image.Image:
    """RGB: eight images of each of the first 100 classes, evenly spaced in it, the class's name at the left; of an
    unlabelled source 64 images. Each is fitted into a square cell, with the edges of what its mask marks, where the
    preparation asks for masks.

    leave_out: images that cannot be read. UserError on a bad source or label file.
    """
    with open_source(source) as opened, open_masks(opened, preparation.masks) as place:
        chosen = choose_images(opened, preparation)
        masks = place.read(chosen, preparation)
        rows = _rows(chosen, preparation, leave_out)
        font = ImageFont.load_default(size=14)
        margin = max((int(font.getlength(name)) for name, _ in rows), default=0)
        margin = margin + 2 * GAP if margin else GAP
        height = len(rows) * (CELL + GAP) + GAP
        sheet = Image.new("RGB", (margin + COLUMNS * (CELL + GAP), height), "white")
        draw = ImageDraw.Draw(sheet)
        for row, (name, files) in enumerate(rows):
            top = GAP + row * (CELL + GAP)
            draw.text((GAP, top + CELL // 2), name, fill="black", font=font, anchor="lm")
            for column, file in enumerate(files):
                with open_picture(opened, file) as (stream, picture):
                    shown = open_shown(stream, picture, preparation)
                cell = fit(shown, CELL)
                if masks is not None:
                    with suppress(Unreadable):  # which the warnings say
                        cell = _with_edges(cell, masks.shares(file, (shown.height, shown.width))[0])
                left = margin + column * (CELL + GAP)
                sheet.paste(cell, (left + (CELL - cell.width) // 2, top + (CELL - cell.height) // 2))
    return sheet


def _with_edges(cell: Image.Image, shares: NDArray[np.float32]) -> Image.Image:
    """What fills a quarter of a pixel is shown, or a crack would vanish from a small cell."""
    small = fitted_mask(shares, cell.height, cell.width, "stretch")
    masks = (small * 2).clip(0, 1) * 255
    painted = with_edges(np.asarray(cell)[None], masks.astype(np.uint8).transpose(1, 2, 0)[None])
    return Image.fromarray(painted[0])


def _rows(
    chosen: ChosenImages, preparation: Preparation, leave_out: Collection[str]
) -> list[tuple[str, Sequence[str]]]:
    """The text at the left of each row, and the files of the row."""
    labelling = chosen.labelling
    names = [name for name in read_headers(chosen.source, preparation)[0] if name not in leave_out]
    if labelling is None:
        shown = list(_spaced(names, COLUMNS * COLUMNS))
        return [("", shown[start : start + COLUMNS]) for start in range(0, len(shown), COLUMNS)]
    files: dict[int, list[str]] = {index: [] for index in range(len(labelling.classes))}
    for name in names:
        files[labelling.index_of[file_of(name)]].append(name)
    return [
        (" ".join(label.split())[:32], list(_spaced(files[index], COLUMNS)))
        for index, label in enumerate(labelling.classes[:MOST_ROWS])
    ]


def _spaced(names: Sequence[str], most: int) -> Iterator[str]:
    count = min(most, len(names))
    return (names[place * len(names) // count] for place in range(count))
