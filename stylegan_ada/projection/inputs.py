"""Image files that are to be projected: found, named, labelled, and brought to the generator's shape."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config.preparation import Preparation
from ..datasets.reading.decode import to_array
from ..datasets.reading.high_bit_depth import fitted
from ..datasets.reading.opening import open_image, open_values, read_header
from ..datasets.reading.sources import FolderSource
from ..datasets.reading.unreadable import Unreadable
from ..errors import UserError
from ..labels.label_space import LabelSpace
from ..pixels import in_8_bits, nhwc, to_window
from .file_labels import FileLabels

LONGEST = 50  # characters of a name, which in UTF-8 leave room in the 255 bytes of a file name
TAKEN = "sheet"  # the picture of all

Shape = tuple[int, int, int]  # (channels, height, width)


@dataclass(frozen=True)
class InputImage:
    """file: the image, as the user finds it. name: of what is written of it, unique. label: "" where none is known."""

    file: Path
    name: str
    label: str


@dataclass(frozen=True, eq=False)
class Inputs:
    """items: sorted by class, those without a label last. images: uint8 [H, W, C] of those that could be read, by
    name. converted: how many of these had another size or kind of pixels. skipped: the others, with the reason.
    labels_of_rows: how many of the items have their label from a table. remarks: lines on numbers that are clipped."""

    items: list[InputImage]
    images: dict[str, NDArray[np.uint8]]
    converted: int
    skipped: list[tuple[Path, str]]
    labels_of_rows: int = 0
    remarks: tuple[str, ...] = ()


def read_inputs(
    paths: Sequence[Path],
    shape: Shape,
    space: LabelSpace,
    label: str | None,
    preparation: Preparation,
) -> Inputs:
    """The images of files and folders (walked to any depth), brought to `shape` as training would.

    space: the generator's labels. label: of all of them; None takes that of a file's row in labels.csv or dataset.json
    (`FileLabels`), or of the folders that are named like it, among those below a folder that is named, that folder
    itself, and the one in which a file lies. preparation: that of the run, with the window of a
    generator of images with more than 8 bits.
    """
    labels = FileLabels(space, preparation, [path for path in paths if path.is_dir()])
    items, skipped = _find_items(paths, space, label, labels)
    images, converted = {}, 0
    for item in items:
        try:
            images[item.name], changed = read_input_image(item.file, shape, preparation)
            converted += changed
        except Unreadable as error:
            skipped.append((item.file, str(error)))
    return Inputs(items, images, converted, skipped, labels.of_rows, tuple(dict.fromkeys(labels.remarks)))


def _find_items(
    paths: Sequence[Path], space: LabelSpace, label: str | None, labels: FileLabels
) -> tuple[list[InputImage], list[tuple[Path, str]]]:
    skipped: list[tuple[Path, str]] = []
    found: dict[str, tuple[Path, str]] = {}
    for path in paths:
        files = _walk(path)
        if not files:
            skipped.append((path, "no images in this folder"))
        for file, folders in files:
            place = os.path.abspath(file)
            if place not in found:
                found[place] = (file, labels.of(file, folders) if label is None else label)
    order = {name: index for index, name in enumerate(space.classes)}
    # equal texts of attributes lie together, too
    ranked = sorted(
        found.values(), key=lambda pair: (order.get(pair[1], len(order)), not pair[1], pair[1], str(pair[0]))
    )
    items: list[InputImage] = []
    taken = {TAKEN}
    for file, own in ranked:
        name = _safe(file.stem)
        if name.lower() in taken:
            name = _safe(f"{file.absolute().parent.name}-{file.stem}")
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        items.append(InputImage(file, name, own))
    return items, skipped


def read_input_image(file: Path, shape: Shape, preparation: Preparation) -> tuple[NDArray[np.uint8], bool]:
    """uint8 [H, W, C] as training would have it, and whether that took another size or kind of pixels.

    With a window the values of images with more than 8 bits are brought to 8. Raises Unreadable, with the reason, for
    what is no image, or, unless it is padded, smaller than `shape` (as in training, none is enlarged).
    """
    channels, height, width = shape
    fit, window, background = preparation.fit, preparation.window, preparation.background
    try:
        with open(file, "rb") as stream:
            header = read_header(stream, bands=preparation.bands)
            if fit != "pad" and (header.height < height or header.width < width):
                raise Unreadable(f"{header.height}x{header.width}, smaller than the generator's {height}x{width}")
            stream.seek(0)
            if window is None:
                image = open_image(stream, preparation=preparation)
                planes = to_array(image, height=height, width=width, channels=channels, fit=fit, background=background)
            elif header.beyond_8_bits:
                values = fitted(
                    open_values(stream, preparation=preparation), height, width, channels, fit, background, window
                )
                planes = in_8_bits(to_window(values, window))
            else:
                raise Unreadable("8 bits, where the generator's images have more")
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    kind = "L" if channels == 1 else "RGB"
    same = (header.height, header.width) == (height, width) and (window is not None or header.mode == kind)
    return np.ascontiguousarray(nhwc(planes[None])[0]), not same


def read_mask(file: Path, shape: Shape, fit: str) -> NDArray[np.float32]:
    """[1, H, W], from 0 (black) to 1 (white), brought to size as the images are. UserError if there is no such mask."""
    try:
        pixels, _ = read_input_image(file, (1, *shape[1:]), Preparation(fit=fit))
    except Unreadable as error:
        raise UserError(f"`mask` {file}: {error}") from None
    if not pixels.any():
        raise UserError(f"`mask` {file}: the mask is all black, so no pixel counts: make those white that do")
    return np.asarray(pixels[None, :, :, 0] / 255, np.float32)


def _walk(path: Path) -> list[tuple[Path, list[str]]]:
    """(file, names of folders above it, the outermost first) for each image. A path that is not there is a file."""
    if not path.is_dir():
        return [(path, [path.absolute().parent.name])]
    source = FolderSource(path)
    files = [Path(source.place) / name for name in source.names]
    return [(file, [path.resolve().name, *file.relative_to(path).parts[:-1]]) for file in files]


def _safe(stem: str) -> str:
    return re.sub(r"[^\w.-]", "_", stem).strip(".")[:LONGEST] or "_"
