"""DICOM files: their pictures, and of their tags none but those that say how pixels are stored and shown.

All other tags, the patient's among them, are passed over unread. pydicom's errors and warnings may quote a file, so of
errors only the kind is named, and warnings are not shown.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .decode import MOST_PIXELS, Header
from .high_bit_depth import as_values
from .unreadable import Unreadable, UnreadableForNow, unreadable_error

MODE = "DICOM"  # in the place of Pillow's mode: gray of more than 8 bits
PREAMBLE = 128  # bytes before the four that mark the format
TAGS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    *(f"{color}PaletteColorLookupTable{part}" for color in ("Red", "Green", "Blue") for part in ("Descriptor", "Data")),
    *(f"Segmented{color}PaletteColorLookupTableData" for color in ("Red", "Green", "Blue")),
)
GRAY = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
COLOR = ("RGB", PALETTE, "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
MOST_FRAMES = 2**16
DEFLATED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95")  # inflated without bound when they are opened
ONE_AT_A_TIME = threading.Lock()  # Python's list of warnings that are not shown belongs to all threads


def is_dicom(beginning: bytes) -> bool:
    """Whether a file that begins so, with 132 bytes at least, has DICOM's mark."""
    return beginning[PREAMBLE : PREAMBLE + 4] == b"DICM"


def read_header(stream: BinaryIO) -> Header:
    """The header of a DICOM file whose pixels can be decoded. Raises Unreadable."""
    with _pydicom():
        tags = _tags(stream)
        _require_decoder(tags)
        height, width, pictures = tags.Rows, tags.Columns, int(tags.get("NumberOfFrames") or 1)
        if not 0 < height * width <= MOST_PIXELS or not 0 < pictures <= MOST_FRAMES:
            raise Unreadable(f"{height}x{width} pixels, {pictures} frames: none, or too many")
        if _is_color(tags):
            beyond_8_bits = tags.BitsAllocated > 8 and tags.PhotometricInterpretation != PALETTE
            return Header(height, width, "RGB", gray=False, frames=1, beyond_8_bits=beyond_8_bits, pictures=pictures)
        if _is_plain(tags, 0):
            return Header(height, width, "L", gray=True, frames=1, pictures=pictures)
        return Header(
            height, width, MODE, gray=True, frames=1, beyond_8_bits=True, pictures=pictures, voi=_voi(tags, 0)
        )


def read_values(stream: BinaryIO, picture: int) -> NDArray[np.float32]:
    """[H, W, 1] or [H, W, 3] of the frame `picture`, from 0: gray in the modality's units, by slope and intercept, such
    as Hounsfield units, MONOCHROME1 turned, NaN where the pixel padding says that nothing was measured; colour as RGB.
    Raises Unreadable."""
    with _pydicom():
        tags = _tags(stream)
        return _values(tags, stream, picture)


def read_image(stream: BinaryIO, picture: int) -> Image.Image:
    """The frame `picture`, from 0, in 8 bits, "L" or "RGB". Raises Unreadable.

    Gray of more than 8 bits as viewers show it: by the file's own VOI window, otherwise from its lowest to its highest
    value.
    """
    values = read_values(stream, picture)
    with _pydicom():
        tags = _tags(stream)
        if _is_color(tags) or _is_plain(tags, picture):
            low, high = 0.0, 255.0 if tags.PhotometricInterpretation == PALETTE else 2.0**tags.BitsStored - 1
        else:
            low, high = _voi(tags, picture) or (float(np.nanmin(values)), float(np.nanmax(values)))
    levels = (
        ((np.nan_to_num(values, nan=low) - low) * (255 / max(high - low, 1e-12))).round().clip(0, 255).astype(np.uint8)
    )
    return Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


@contextmanager
def _pydicom() -> Iterator[None]:
    try:
        import pydicom  # noqa: F401 - only whether it is there
    except ImportError:
        raise UnreadableForNow("DICOM needs pydicom: pip install pydicom") from None
    with ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values outside the standard, in tags that are not read here
        try:
            yield
        except Unreadable:
            raise
        except Exception as error:  # pydicom raises nearly anything on damaged files
            raise unreadable_error(error, f"pydicom cannot read it ({type(error).__name__})") from None


def _tags(stream: BinaryIO) -> Any:
    """The pydicom.Dataset of TAGS, without pixels."""
    from pydicom import dcmread
    from pydicom.filereader import read_dataset, read_preamble

    stream.seek(0)
    read_preamble(stream, force=False)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    if meta.get("TransferSyntaxUID") in DEFLATED:
        raise Unreadable("DICOM packed by deflate: save it without")
    stream.seek(0)
    tags = dcmread(stream, stop_before_pixels=True, specific_tags=list(TAGS))
    stream.seek(0)
    if not all(name in tags for name in ("Rows", "Columns", "BitsAllocated", "PhotometricInterpretation")):
        raise Unreadable("a DICOM file without a picture")
    if "ModalityLUTSequence" in tags:
        raise Unreadable("its values follow from a table (modality LUT), which is not read")
    if tags.PhotometricInterpretation not in (*GRAY, *COLOR):
        raise Unreadable("neither gray, RGB, YBR nor a palette")
    return tags


def _require_decoder(tags: Any) -> None:
    from pydicom.pixels import get_decoder

    syntax = tags.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:  # pydicom's answer for a syntax that it does not know
        raise Unreadable("compressed in a way that pydicom has no decoder for") from None
    if not decoder.is_available:
        package = "python-gdcm" if "gdcm" in str(decoder.missing_dependencies) else "pylibjpeg-openjpeg"
        raise UnreadableForNow(f"compressed by {syntax.name}: pip install {package}")


def _values(tags: Any, stream: BinaryIO, picture: int) -> NDArray[np.float32]:
    from pydicom.pixels import apply_color_lut, pixel_array

    try:
        stored = pixel_array(stream, index=picture)
    except RuntimeError:  # of the decoders
        name = tags.file_meta.TransferSyntaxUID.name
        raise Unreadable(f"damaged, or {name} of a kind that needs python-gdcm: pip install it") from None
    if tags.PhotometricInterpretation == PALETTE:
        colors = apply_color_lut(stored, tags)
        return np.asarray(colors >> (8 if colors.dtype == np.uint16 else 0), np.float32)
    if _is_color(tags):
        return np.asarray(stored, np.float32)
    slope, intercept = _rescale(tags, picture)
    values = stored.astype(np.float64) * slope + intercept
    values = _ends(tags, picture) - values if _is_turned(tags) else values
    return as_values(values[:, :, None], _is_padding(tags, stored)[:, :, None])


def _is_padding(tags: Any, stored: NDArray[Any]) -> NDArray[np.bool_]:
    """Marks stored numbers that are the pixel padding value, or between it and its limit (DICOM PS3.3, C.7.5.1.1.2)."""
    ends = [tags.get(name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    numbers = [end for end in ends if isinstance(end, int)]
    if not numbers or ends[0] is None:
        return np.zeros(stored.shape, bool)
    # its type may differ from that of the pixels, whose bits it shares
    low, high = sorted(np.array([numbers[0], numbers[-1]]).astype(stored.dtype).tolist())
    return (stored >= low) & (stored <= high)


def _is_color(tags: Any) -> bool:
    return tags.PhotometricInterpretation not in GRAY


def _is_turned(tags: Any) -> bool:
    return bool(tags.PhotometricInterpretation == "MONOCHROME1")


def _is_plain(tags: Any, picture: int) -> bool:
    """Whether gray values are 8 bits without a unit of their own."""
    return tags.BitsAllocated <= 8 and not tags.get("PixelRepresentation") and _rescale(tags, picture) == (1, 0)


def _rescale(tags: Any, picture: int) -> tuple[float, float]:
    item = _of_frame(tags, picture, "PixelValueTransformationSequence")
    return float(item.get("RescaleSlope") or 1), float(item.get("RescaleIntercept") or 0)


def _ends(tags: Any, picture: int) -> float:
    """The sum of the values of the lowest and the highest number that can be stored: minus a value, it is turned."""
    slope, intercept = _rescale(tags, picture)
    return slope * (-1 if tags.get("PixelRepresentation") else 2**tags.BitsStored - 1) + 2 * intercept


def _voi(tags: Any, picture: int) -> tuple[float, float] | None:
    """(low, high): the first window of the file, or of the frame in an enhanced file, where MONOCHROME1 is turned."""
    item = _of_frame(tags, picture, "FrameVOILUTSequence")
    centre, width = (_first(item.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None or not np.isfinite([centre, width]).all() or width <= 0:
        return None
    low, high = centre - width / 2, centre + width / 2
    return (_ends(tags, picture) - high, _ends(tags, picture) - low) if _is_turned(tags) else (low, high)


def _first(value: Any) -> float | None:
    """The first value of a tag, which may have several, or none."""
    values = [value] if isinstance(value, (int, float)) else list(value or ())
    return float(values[0]) if values else None


def _of_frame(tags: Any, picture: int, sequence: str) -> Any:
    """The item with a frame's attributes: in its own or the shared group, as in enhanced files, or the file itself."""
    for groups, index in (("PerFrameFunctionalGroupsSequence", picture), ("SharedFunctionalGroupsSequence", 0)):
        found = tags.get(groups)
        if found and found[index].get(sequence):
            return found[index][sequence][0]
    return tags
