"""What is trained on: a part of a run's configuration. No torch here."""

from dataclasses import dataclass, field
from math import isfinite

from .errors import UserError
from .settings import Range, check, setting

MIRRORS = ("h", "v", "hv", "quarter")
FITS = ("crop", "stretch")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is trained on."""

    source: str = field(metadata=setting("data", "A folder, a .zip, or sample:NAME."))
    size: str | None = field(
        default=None, metadata=setting("size", "Pixels: 64, or 64x96 (height x width).", default="the images' own size")
    )
    fit: str = field(
        default="crop",
        metadata=setting(
            "fit", "How images are brought to the size: crop their centre, or stretch them.", choices=FITS
        ),
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
