"""The bytes of an image file to 8-bit pixels of one size, with Pillow."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from ...errors import first_line
from ...pixels import nchw
from .bands import Bands, chosen_bands
from .png_chunks import is_png, without_chunks
from .resizing import color_behind, padded, padding_color, scaled
from .sources import Source, is_text
from .unreadable import DAMAGE, Unreadable, unreadable_error

# the formats that the suffixes in formats.py stand for; nothing else that Pillow could open is tried
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "PPM", "AVIF")
GRAY_MODES = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L")
GRAY_MODES_16_BIT = ("I;16", "I;16B", "I;16L")
REFUSED_MODES = {"I": "32-bit or signed integer pixels", "F": "floating-point pixels"}
T = TypeVar("T")
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by the numbers of EXIF
OPAQUE = "alpha of 0 everywhere, which is ignored"
DOUBTFUL = "alpha that is perhaps none"
MISSING = "nothing was measured somewhere"
TRANSPARENT = "transparency"  # in the info of Pillow's images
MOST_PIXELS = 178_956_970  # above which Pillow refuses to decode

logging.getLogger("PIL").addHandler(logging.NullHandler())  # it logs what it finds odd to the terminal


@dataclass(frozen=True)
class Header:
    """height, width: as shown, after the rotation that EXIF asks for. mode: Pillow's. gray: whether it has no colour.

    frames: how many pictures the file holds; beyond_8_bits: whether it has more than 8 bits.
    transparent: whether it has transparency. turned: whether EXIF asks for a rotation or a reflection.
    pictures: into how many images of their own it is taken apart, as DICOM files are. voi: (low, high), the values that
    a DICOM file wants shown from black to white. why_not_8_bits: why its pixels cannot be had in 8 bits, None if they
    can. bands: where it has others than gray, colours and alpha.
    """

    height: int
    width: int
    mode: str
    gray: bool
    frames: int
    beyond_8_bits: bool = False
    transparent: bool = False
    turned: bool = False
    pictures: int = 1
    voi: tuple[float, float] | None = None
    why_not_8_bits: str | None = None
    bands: Bands | None = None


def open_stream(source: Source, name: str) -> BinaryIO:
    """A file of a source. Raises Unreadable, with the system's reason, if it cannot be opened."""
    if not is_text(name):
        raise Unreadable("its name is not UTF-8: rename it")
    try:
        return source.open(name)
    except DAMAGE as error:
        raise unreadable_error(error, _reason(error)) from None


def read_header(stream: BinaryIO, page: int = 0) -> Header:
    """The header of an image file, without decoding its pixels. page: from 0, of a file with several. Raises
    Unreadable."""

    def header_of(image: ImageFile.ImageFile) -> Header:
        width, height = image.size
        orientation = orientation_of(image)
        if orientation in (5, 6, 7, 8) and image.format != "TIFF":  # whose size is turned already
            width, height = height, width
        mode = image.mode
        return Header(
            height,
            width,
            mode,
            gray=mode in (*GRAY_MODES, *REFUSED_MODES),
            frames=_count_frames(image),
            beyond_8_bits=mode in (*GRAY_MODES_16_BIT, *REFUSED_MODES)
            or ";16" in str([tile[3] for tile in image.tile]),
            transparent=image.has_transparency_data,
            turned=orientation != 1,
            why_not_8_bits=None if image.format == "PPM" else REFUSED_MODES.get(mode),
        )

    return with_pillow(stream, page, header_of)


def open_image(
    stream: BinaryIO, background: str = "white", alpha: bool = False, page: int = 0, bands: tuple[int, ...] = ()
) -> Image.Image:
    """A picture of an image file in 8 bits, "L" or "RGB", turned as its EXIF asks. Raises Unreadable.

    16-bit gray v becomes round(v / 257), which maps 0 ... 65535 onto 0 ... 255. Transparent pixels are laid on the
    colour `background` (on white for "edge" and "reflect"); with `alpha` they stay, and every image is "RGBA".
    page: from 0, of a file with several. bands: to take in place of the image's colours, from 1.
    """

    def decoded(file: ImageFile.ImageFile) -> Image.Image:
        image = upright(file)
        if file.format == "PPM" and image.mode == "I":  # its 16 bits, brought to 65535
            image = Image.fromarray(np.asarray(image).astype(np.uint16))
        return as_8_bit_image(image, background, alpha, bands)

    return with_pillow(stream, page, decoded)


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 if it is missing or damaged."""
    try:
        # asked of the base class, since a PNG's own getexif decodes its pixels
        found = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    except Exception:  # Pillow raises nearly anything on damaged tags
        return 1
    return found if found in TURNS else 1


def upright(file: ImageFile.ImageFile) -> Image.Image:
    """Decoded, and turned as its EXIF asks."""
    file.load()
    turn = TURNS.get(orientation_of(file))
    return file.copy() if turn is None else file.transpose(turn)


def with_pillow(stream: BinaryIO, page: int, use: Callable[[ImageFile.ImageFile], T]) -> T:
    """`use` of Pillow's image of a file, at a page. What fails is Unreadable."""

    def opened(stream: BinaryIO) -> T:
        with Image.open(stream, formats=FORMATS) as image:
            if page:
                image.seek(page)
            return use(image)

    try:
        try:
            return opened(stream)
        except (ValueError, UnidentifiedImageError):  # for a colour profile or text that is too large or damaged
            if not is_png(stream):
                raise
        return opened(without_chunks(stream))
    except Unreadable:
        raise
    except Exception as error:  # Pillow raises nearly anything on damaged files
        raise unreadable_error(error, _reason(error)) from None


def as_8_bit_image(image: Image.Image, background: str, alpha: bool, bands: tuple[int, ...] = ()) -> Image.Image:
    """The image in 8 bits, as `open_image` gives it. An alpha of 0 everywhere, as some programs write it, hides
    nothing: the image is taken as opaque. Its info says so, under OPAQUE, and under DOUBTFUL that alpha is mostly
    neither 0 nor 255. Raises Unreadable."""
    gray = image.mode in GRAY_MODES
    if image.mode in GRAY_MODES_16_BIT:
        image = _reduced(image)
    if image.mode in REFUSED_MODES:
        raise Unreadable(f"{REFUSED_MODES[image.mode]} (convert to 8 or 16 bits)")
    if bands:
        own = np.asarray(image.convert("L" if image.mode == "1" else "RGB") if image.mode in ("1", "P") else image)
        return Image.fromarray(np.squeeze(chosen_bands(own[:, :, None] if own.ndim == 2 else own, bands)))
    info: dict[Any, Any] = {}
    if image.has_transparency_data:
        image = image.convert("RGBA")
        shares = image.getchannel("A").histogram()
        if shares[0] == sum(shares):
            image.putalpha(255)
            info = {OPAQUE: True}
        elif shares[0] + shares[255] < sum(shares) / 2:
            info = {DOUBTFUL: True}
    if alpha:
        image = image.convert("RGBA")
    elif image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, color_behind(background)), image)
    if not alpha:
        image = image.convert("L" if gray else "RGB")
    image.info = info
    return image


def _reduced(image: Image.Image) -> Image.Image:
    """16-bit gray in 8 bits, "L", or "LA" where one value stands for transparency."""
    values, transparent = np.asarray(image).astype(np.uint32), image.info.get(TRANSPARENT)
    gray = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if isinstance(transparent, int):
        gray.putalpha(Image.fromarray(np.where(values == transparent, np.uint8(0), np.uint8(255))))
    return gray


def to_array(
    image: Image.Image, *, height: int, width: int, channels: int, fit: str, background: str = "white"
) -> np.ndarray:
    """uint8 [C, height, width] of an "L" or "RGB" image, or, for 4 channels, of an "RGBA" one.

    fit "crop" cuts the largest central part of the wanted shape, "pad" puts the whole image before `background`,
    "stretch" takes the whole image; scaled as in `scaled`. Colour becomes gray by the luma of ITU-R BT.601. Of 4
    channels the colours are multiplied by alpha, so that the colour of transparent pixels is of no account.
    """
    # Pillow's RGBa has the colours multiplied
    image = scaled(image.convert({1: "L", 3: "RGB", 4: "RGBa"}[channels]), height, width, fit)
    pixels = np.asarray(image)
    planes = pixels[None] if channels == 1 else nchw(pixels[None])[0]
    if channels == 4:
        planes = np.minimum(planes, planes[3:])  # where the filter has overshot
    if fit == "pad":
        planes = padded(planes, height, width, background, padding_color(background, channels))
    return np.ascontiguousarray(planes)


def _count_frames(image: Image.Image) -> int:
    # a photograph's thumbnails (MPO) are no further pictures
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def _reason(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        size = str(error).partition("(")[2].partition(")")[0]  # Pillow's words: "Image size (N pixels) exceeds"
        return f"{size}, more than {MOST_PIXELS}: make it smaller, or cut it into tiles"
    if isinstance(error, UnidentifiedImageError):
        return "not a PNG, JPEG, TIFF, WebP, BMP, GIF, JPEG 2000, PPM, AVIF, .npy or DICOM image"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return first_line(error)
