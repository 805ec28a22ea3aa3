"""What is trained on: a part of a run's configuration. No torch here."""

from dataclasses import dataclass, field
from math import isfinite

from .errors import UserError
from .settings import Range, check, setting

MIRRORS = ("h", "v", "hv", "quarter")
FITS = ("crop", "pad", "stretch")
AUTO = "auto"
PAGES = ("first", "all")
CHANNELS = {"gray": 1, "rgb": 3, "rgba": 4}
KINDS = {1: "gray", 3: "RGB", 4: "RGBA"}  # of images, in words, by their channels
BORDERS = ("edge", "reflect")  # backgrounds that are no colour


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is trained on."""

    source: str = field(metadata=setting("data", "A folder, a .zip, or sample:NAME."))
    size: str | None = field(
        default=None,
        metadata=setting(
            "size",
            "Pixels: 64, or 64x96 (height x width), or auto, by the median image.",
            default="the images' own size",
        ),
    )
    fit: str = field(
        default="crop",
        metadata=setting(
            "fit",
            "How images are brought to the size: crop their centre, pad them by the background, or stretch them.",
            choices=FITS,
        ),
    )
    background: str = field(
        default="white",
        metadata=setting(
            "background",
            "What lies behind transparent pixels and around padded images: a colour such as black or #20a0ff; or "
            "edge or reflect, the image's own border (behind transparent pixels lies white then).",
        ),
    )
    channels: str | None = field(
        default=None,
        metadata=setting(
            "channels",
            "What is trained: gray, rgb, or rgba, which keeps transparency.",
            choices=tuple(CHANNELS),
            default="gray if no image has colour, else rgb",
        ),
    )
    pages: str = field(
        default="first",
        metadata=setting("pages", "Which pictures of a file with several, such as a TIFF, are images.", choices=PAGES),
    )
    window: str | None = field(
        default=None,
        metadata=setting(
            "window",
            "LOW,HIGH: the values of black and white, of images with more than 8 bits.",
            default="the images' lowest and highest value",
        ),
    )
    labels: bool = field(default=True, metadata=setting("no_labels", "Ignore the labels.", default="they are used"))
    mirror: str | None = field(
        default=None,
        metadata=setting(
            "mirror", "Random flips of real images, or quarter turns.", choices=MIRRORS, default="no flips"
        ),
    )
    balance: float = field(
        default=0.0,
        metadata=setting(
            "balance",
            "How often classes are seen: 0 as often as they occur, 1 all equally often.",
            within=Range("a share from 0 to 1", 0, 1),
        ),
    )
    holdout: float = field(
        default=0.0,
        metadata=setting(
            "holdout", "Share of images that training never sees.", within=Range("a fraction from 0 to 0.5", 0, 0.5)
        ),
    )
    subset: int | None = field(
        default=None,
        metadata=setting(
            "subset",
            "Train on only this many images, with every class in its share.",
            within=Range("2 or more", 2),
            default="all images",
        ),
    )

    def __post_init__(self) -> None:
        check(self)
        parse_window(self.window)
        check_background(self.background)


def parse_window(text: str | None) -> tuple[float, float] | None:
    """ "-1000,400" -> (-1000, 400)"""
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise UserError(f"`window` {text}: give LOW,HIGH, two numbers") from None
    if not (isfinite(low) and isfinite(high) and low < high):
        raise UserError(f"`window` {text}: give LOW,HIGH, the lower number first")
    return low, high


def check_background(text: str) -> None:
    """UserError unless it is one of BORDERS, or a colour without transparency as Pillow knows it."""
    from PIL import ImageColor  # here, since a packed set is read without it

    if text in BORDERS:
        return
    try:
        if len(ImageColor.getrgb(text)) == 3:
            return
    except ValueError:
        pass
    raise UserError(f"`background` {text}: give a colour (black, #20a0ff), edge or reflect")


def kind_of_images(channels: int) -> str:
    """In words."""
    return KINDS.get(channels, f"{channels} channels")
