"""TIFF files beyond 8-bit gray and RGB: their tags say what the numbers mean, and tifffile reads both.

Pillow reads the rest. It garbles planes of 16 bits, ignores min-is-white beyond 8 bits, and takes any fourth band for
alpha. Ink (CMYK) becomes colours as soon as it is read. Tags by number: TIFF 6.0 (Adobe 1992); 42113 is GDAL's for
"nothing measured".
"""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import first_line
from ...pixels import oriented
from .bands import NO_COLORS, Bands, chosen_bands
from .decode import MISSING, MOST_PIXELS, Header, as_8_bit_image
from .high_bit_depth import as_values, without_alpha
from .unreadable import Unreadable, UnreadableForNow, unreadable_error

MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ORIENTATION, GDAL_NODATA, LOWEST, HIGHEST = 274, 42113, 340, 341
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR, CIELAB = 0, 1, 2, 3, 5, 6, 8
MULTIPLIED = 1  # of ExtraSamples: alpha, which the colours are multiplied by
ALPHA = (MULTIPLIED, 2)  # 0 is a band of any meaning
# by libtiff, as Pillow carries it: none, CCITT, LZW, JPEG, deflate, PackBits, LZMA, Zstandard
PILLOWS_COMPRESSIONS = (1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000)
NO_CODEC = "requires the 'imagecodecs' package"  # tifffile's words
PYRAMID = 64  # pages: of more, none is taken for a smaller copy of another
FULL_SCALES = (1, 255, 65535)  # of floating-point values whose file names none

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # it logs what it finds odd to the terminal


@dataclass(frozen=True)
class TiffPicture:
    """page: a picture's place among the file's pages. pictures: how many there are that are no smaller copies of others
    and no masks. header: None where Pillow reads the page."""

    page: int
    pictures: int
    header: Header | None


def is_tiff(beginning: bytes) -> bool:
    """Whether a file that begins so is a TIFF."""
    return beginning.startswith(MARKS)


def find_picture(stream: BinaryIO, picture: int) -> TiffPicture:
    """Finds a picture of a TIFF, counted from 0, by its tags. Raises Unreadable."""
    with _page(stream, picture) as (page, place, pictures):
        header = None if _is_pillows(page) else _header(page, pictures)
    stream.seek(0)
    return TiffPicture(place, pictures, header)


def open_values(
    stream: BinaryIO, picture: int, background: str = "white", bands: tuple[int, ...] = ()
) -> NDArray[np.float32]:
    """[H, W, 1] or [H, W, 3], NaN where nothing was measured. As `high_bit_depth.open_values`. Raises Unreadable."""
    with _page(stream, picture) as (page, _, _):
        return as_values(*_pixels(page, background, bands))


def open_image(
    stream: BinaryIO, picture: int, background: str = "white", alpha: bool = False, bands: tuple[int, ...] = ()
) -> Image.Image:
    """A picture in 8 bits, as `decode.open_image` gives it: the largest number that can be stored becomes 255. Where
    nothing was measured is black. Raises Unreadable."""
    with _page(stream, picture) as (page, _, _):
        if (reason := _why_not_8_bits(page)) is not None:
            raise Unreadable(f"{reason} (convert to 8 or 16 bits)")
        keeps_alpha = alpha and not bands and _has_alpha(page)
        samples, missing = _pixels(page, background, bands, keeps_alpha)
        if missing is not None:
            samples = np.where(missing, 0, samples)
        levels = np.rint(samples * (255 / _white(page))).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(np.squeeze(levels, 2) if levels.shape[2] == 1 else levels)
    if keeps_alpha and page.extrasamples[0] == MULTIPLIED:
        multiplied = {"LA": "La", "RGBA": "RGBa"}[image.mode]
        image = Image.frombytes(multiplied, image.size, image.tobytes()).convert(image.mode)
    found = as_8_bit_image(image, background, alpha)
    if missing is not None:
        found.info[MISSING] = True
    return found


def _pixels(
    page: Any, background: str, bands: tuple[int, ...], keeps_alpha: bool = False
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """(samples [H, W, 1 or 3], with an alpha that is kept [H, W, 2 or 4]; where nothing was measured)."""
    samples, missing = _upright(page), _missing(page)
    if bands:
        return chosen_bands(samples, bands), None if missing is None else chosen_bands(missing, bands)
    found = _bands(page)
    if found is not None and found.own == NO_COLORS:
        raise Unreadable(f"{found}: choose 1 or 3 of them with `bands`")
    own = _colors(page)
    if keeps_alpha:
        return samples[:, :, : own + 1], None
    if _has_alpha(page):
        multiplied = page.extrasamples[0] == MULTIPLIED
        samples = without_alpha(samples[:, :, : own + 1], background, _white(page), multiplied)
    return samples[:, :, :own], None if missing is None else missing[:, :, :own]


def _upright(page: Any) -> NDArray[Any]:
    """[H, W, S] of the file's own type; 0 is black."""
    samples = _samples(page)
    if page.photometric == WHITE_IS_ZERO:
        gray = samples[:, :, : -1 if _has_alpha(page) else None]
        samples = np.dstack([_turned(page, gray), samples[:, :, gray.shape[2] :]])
    return oriented(samples, _tag(page, ORIENTATION, 1))


def _white(page: Any) -> float:
    """The largest number that can be stored; of floating-point ones 1."""
    if page.dtype.kind == "f":
        return 1.0
    return float(2 ** (page.bitspersample - (page.dtype.kind == "i")) - 1)


def _has_alpha(page: Any) -> bool:
    return bool(page.extrasamples) and page.extrasamples[0] in ALPHA and page.samplesperpixel > _stored(page)


@contextmanager
def _page(stream: BinaryIO, picture: int) -> Iterator[tuple[Any, int, int]]:
    """(tifffile's page of a picture, its place, the number of pictures). What fails within is Unreadable."""
    try:
        import tifffile

        # reading a member of a zip here and there would unpack it again and again
        whole = stream if hasattr(stream, "fileno") and not hasattr(stream, "_decompressor") else None
        with tifffile.TiffFile(whole or io.BytesIO(stream.read())) as file:
            pages: Any = file.pages
            places = list(range(len(pages)))
            if 1 < len(places) <= PYRAMID:
                places = [place for place in places if not (pages[place].is_reduced or pages[place].is_mask)] or [0]
            yield pages[places[picture]], places[picture], len(places)
    except Unreadable:
        raise
    except Exception as error:  # tifffile and its codecs raise nearly anything on damaged files
        if NO_CODEC in str(error):
            raise UnreadableForNow("it is compressed: pip install imagecodecs") from None
        raise unreadable_error(error, first_line(error)) from None


def _is_pillows(page: Any) -> bool:
    """Whether Pillow reads a page as its tags mean it: 8, 4, 2 or 1 bits in a usual order, nothing to be left out."""
    if page.compression not in PILLOWS_COMPRESSIONS or page.sampleformat != 1 or GDAL_NODATA in page.tags:
        return False
    if page.bitspersample not in (1, 2, 4, 8):
        return False
    if page.photometric in (YCBCR, CIELAB, PALETTE):
        return True
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB) or page.planarconfig != 1:
        return False
    if page.photometric == RGB and page.bitspersample < 8:
        return False
    alpha = () if page.photometric == WHITE_IS_ZERO else ALPHA if page.photometric == RGB else ALPHA[1:]
    usual = not page.extrasamples or (len(page.extrasamples) == 1 and page.extrasamples[0] in alpha)
    return usual and page.samplesperpixel - len(page.extrasamples) == _stored(page)


def _colors(page: Any) -> int:
    """The number of colours of a pixel as it is read: 1 or 3."""
    return 3 if page.photometric in (RGB, SEPARATED) else 1


def _stored(page: Any) -> int:
    """The number of a pixel's samples in the file that make its colours."""
    return 4 if page.photometric == SEPARATED else _colors(page)


def _header(page: Any, pictures: int) -> Header:
    if page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, SEPARATED):
        raise Unreadable(f"{page.bitspersample}-bit {page.photometric.name}: convert it to gray or RGB")
    if page.dtype is None or page.dtype.kind not in "biuf":
        raise Unreadable("its numbers are neither whole nor floating-point: convert it")
    inks = page.samplesperpixel - len(page.extrasamples)
    if page.photometric == SEPARATED and inks != 4:
        raise Unreadable(f"{inks} inks: convert it to gray or RGB")
    height, width = page.imagelength, page.imagewidth
    if not 0 < height * width * page.samplesperpixel <= 3 * MOST_PIXELS or page.imagedepth != 1:
        raise Unreadable(f"{height}x{width} pixels: none, or too many, make it smaller or cut it into tiles")
    if _tag(page, ORIENTATION, 1) in (5, 6, 7, 8):
        height, width = width, height
    gray = _colors(page) == 1
    return Header(
        height,
        width,
        mode=_mode(page, gray),
        gray=gray,
        frames=pictures,
        beyond_8_bits=not (page.dtype.kind in "bu" and page.bitspersample <= 8),
        why_not_8_bits=_why_not_8_bits(page),
        transparent=_has_alpha(page),
        turned=_tag(page, ORIENTATION, 1) in range(2, 9),
        bands=_bands(page),
    )


def _mode(page: Any, gray: bool) -> str:
    """The mode in the manner of Pillow's."""
    if page.photometric == SEPARATED:
        return "CMYK"
    if page.dtype.kind == "u" and page.bitspersample <= 16:
        return "RGB" if not gray else "L" if page.bitspersample <= 8 else "I;16"
    return str(page.dtype) if gray else f"RGB {page.dtype}"


def _why_not_8_bits(page: Any) -> str | None:
    if page.dtype.kind == "f":
        return "floating-point pixels"
    return None if page.dtype.kind in "bu" and page.bitspersample <= 16 else "32-bit or signed integer pixels"


def _bands(page: Any) -> Bands | None:
    """The samples of a pixel where they are more than gray, RGB and alpha; None where they are not."""
    own, extra = _colors(page), tuple(page.extrasamples)
    more = page.samplesperpixel - _stored(page)
    if more == 0 or (more == 1 and extra and extra[0] in ALPHA):
        return None
    colors = ("red", "green", "blue") if own == 3 else ("gray",)
    others = ["alpha" if kind in ALPHA else "of no stated meaning" for kind in extra]
    others += ["of no stated meaning"] * (more - len(others))
    return Bands((*colors, *others[:more]), own=own if own == 3 else NO_COLORS)


def _samples(page: Any) -> NDArray[Any]:
    """[H, W, S], with three colours in place of four inks."""
    array = page.asarray(maxworkers=1)
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        array = np.moveaxis(array.reshape(page.samplesperpixel, page.imagelength, page.imagewidth), 0, -1)
    array = array.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    if page.photometric == SEPARATED:
        return _without_ink(page, array)
    return array.astype(np.uint8) * 255 if array.dtype == bool else array


def _without_ink(page: Any, inks: NDArray[Any]) -> NDArray[Any]:
    """Each ink and black take away their share of the paper's white, as Pillow has it."""
    white = _white(page)
    paper = (white - inks[:, :, :3].astype(np.float64)) * (white - inks[:, :, 3:4]) / white
    colors = paper if inks.dtype.kind == "f" else np.rint(paper)
    return np.dstack([colors.astype(inks.dtype), inks[:, :, 4:]])


def _missing(page: Any) -> NDArray[np.bool_] | None:
    """[H, W, S], where nothing was measured: where GDAL's value stands, in a colour image in all bands."""
    try:
        value = float(str(_tag(page, GDAL_NODATA, "nan")).strip("\0 "))
    except ValueError:
        return None
    samples = _samples(page)
    whole = samples.dtype.kind in "iu"
    if not np.isfinite(value) or (whole and not value.is_integer()):
        return None
    with np.errstate(over="ignore"):
        missing = samples == (int(value) if whole else samples.dtype.type(value))
    if _colors(page) == 3:
        missing = np.broadcast_to(missing.all(axis=2, keepdims=True), samples.shape)
    return oriented(missing, _tag(page, ORIENTATION, 1)) if missing.any() else None


def _turned(page: Any, samples: NDArray[Any]) -> NDArray[Any]:
    """Min-is-white as min-is-black: the lowest number that can be stored for the highest."""
    if samples.dtype.kind == "i":
        return -1 - samples
    if samples.dtype.kind == "u":
        return samples.dtype.type(2**page.bitspersample - 1) - samples
    return np.asarray(_float_ends(page, samples) - samples, samples.dtype)


def _float_ends(page: Any, samples: NDArray[Any]) -> float:
    """The sum of black and white: by the tags, else of the least full scale that holds the values, else 0."""
    if LOWEST in page.tags and HIGHEST in page.tags:
        return float(np.min(_tag(page, LOWEST, 0))) + float(np.max(_tag(page, HIGHEST, 0)))
    finite = samples[np.isfinite(samples)]
    if not finite.size or finite.min() < 0:
        return 0.0
    return float(next((scale for scale in FULL_SCALES if finite.max() <= scale), 0))


def _tag(page: Any, number: int, otherwise: Any) -> Any:
    tag = page.tags.get(number)
    return otherwise if tag is None else tag.value
