"""The data of a run."""

from dataclasses import dataclass
from math import isfinite

from ..errors import UserError
from .attributes import parse_attributes
from .masks import REFUSED, UNMASKED, parse_kinds
from .preparation import ALL, AUTO, CHANNELS, FITS, NO_SPLIT, PAGES, Preparation
from .settings import NOT_NEGATIVE, REQUIRED, Range, check, setting

MIRRORS = ("h", "v", "hv", "quarter")
KINDS = {1: "gray", 3: "RGB", 4: "RGBA"}  # of images, in words, by their channels


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """The images that are trained on, and how they are taken."""

    data: str = setting(REQUIRED, "A folder, a .zip, a .tar, or sample:NAME.")
    size: str | None = setting(
        None, "Pixels: 64, or 64x96 (height x width), or auto, by the median image.", unset="the images' own size"
    )
    fit: str = setting(
        "crop",
        "How images are brought to the size: crop their centre, pad them by the background, or stretch them.",
        choices=FITS,
    )
    background: str = setting(
        "white",
        "What lies behind transparent pixels and around padded images: a colour such as black or #20a0ff; or "
        "edge or reflect, the image's own border (behind transparent pixels lies white then).",
    )
    channels: str | None = setting(
        None,
        "What is trained: gray, rgb, or rgba, which keeps transparency.",
        choices=tuple(CHANNELS),
        unset="gray if no image has colour, else rgb",
    )
    pages: str = setting("first", "Which pictures of a file with several, such as a TIFF, are images.", choices=PAGES)
    bands: str | None = setting(
        None,
        "One band of the images (4), or three (1,2,3), to be gray or red, green, blue; from 1.",
        unset="as the files say",
    )
    window: str | None = setting(
        None,
        "LOW,HIGH: the values of black and white, of images with more than 8 bits.",
        unset="the images' lowest and highest value",
    )
    no_labels: bool = setting(False, "Ignore the labels.", unset="they are used")
    file_column: str | None = setting(
        None, "The column of labels.csv that names the files.", unset="file, or one with a usual name"
    )
    label_column: str | None = setting(
        None, "The column of labels.csv that names the classes.", unset="label, or one with a usual name"
    )
    split: str = setting(  # none in runs from before there were splits
        NO_SPLIT,
        "Which of a set's folders train, val, test are taken: train, or train,val; none takes them as classes.",
        unset="all of them",
    )
    groups: str | None = setting(
        None,
        "What belongs together and is held out as a whole: folder:2, the folder at that level from the top, or "
        "name:(P\\d+)_, a regular expression searched in the path.",
        unset="the column group of labels.csv",
    )
    attributes: str | None = setting(
        None,
        "What images are labelled by, in place of one class: columns of labels.csv, else folders from the top, each "
        "with a kind (category, yesno, several, number) or without: type,degree:number,crack:yesno.",
        unset="one class for each image",
    )
    split_names: str | None = setting(
        None, "What parts the names of classes into `attributes`: - of mono-0.67.", unset="names stay whole"
    )
    masks: str | None = setting(
        None,
        "Masks to be trained with the images: auto, those beside them; a folder of them; a file of annotations (COCO); "
        "or alpha, the images' transparency.",
        unset="images alone",
    )
    mask_kinds: str | None = setting(
        None,
        "The masks' values that count, and what they stand for: crack=1,dent=2, or colours: crack=#ff0000; of "
        "annotations the classes.",
        unset="all values that occur, up to 4",
    )
    ignore: int | None = setting(
        None,
        "A value of masks that says nothing, such as 255.",
        within=NOT_NEGATIVE,
        unset="every value says something",
    )
    unmasked: str = setting(
        REFUSED,
        "Images without a mask are refused, or show nothing but background.",
        choices=UNMASKED,
    )
    mirror: str | None = setting(
        None, "Random flips of real images, or quarter turns.", choices=MIRRORS, unset="no flips"
    )
    balance: float = setting(
        0.0,
        "How often classes are seen: 0 as often as they occur, 1 all equally often.",
        within=Range("a share from 0 to 1", 0, 1),
    )
    balance_by: str | None = setting(
        None, "The attribute whose values `balance` is about.", unset="classes, or combinations of all attributes"
    )
    holdout: float = setting(
        0.0, "Share of images that training never sees.", within=Range("a fraction from 0 to 0.5", 0, 0.5)
    )
    copies_together: bool = False  # on one side of the hold-out; runs that were begun before did not keep them so
    subset: int | None = setting(
        None,
        "Train on only this many images, with every class in its share.",
        within=Range("2 or more", 2),
        unset="all images",
    )

    def __post_init__(self) -> None:
        check(self)
        if self.no_labels and self.attributes is not None:
            raise UserError(f"`attributes` {self.attributes}: `no_labels` ignores them, leave one of the two out")
        if self.balance_by is not None and not self.balance:
            raise UserError(f"`balance_by` {self.balance_by}: give `balance` as well, from 0 to 1")
        if self.balance_by is not None and self.attributes is None:
            raise UserError(f"`balance_by` {self.balance_by}: it is one of `attributes`, which are not given")
        self.preparation  # noqa: B018 - it checks itself

    @property
    def preparation(self) -> Preparation:
        """The preparation of the images and labels."""
        return Preparation(
            size=wanted_size(self.size),
            fit=self.fit,
            background=self.background,
            pages=self.pages,
            bands=parse_bands(self.bands),
            channels=None if self.channels is None else CHANNELS[self.channels],
            window=parse_window(self.window),
            use_labels=not self.no_labels,
            file_column=self.file_column,
            label_column=self.label_column,
            split=None if self.split == ALL else self.split,
            groups=self.groups,
            attributes=parse_attributes(self.attributes),
            split_names=self.split_names,
            masks=self.masks,
            mask_kinds=parse_kinds(self.mask_kinds),
            ignore=self.ignore,
            unmasked=self.unmasked,
        )


def parse_size(text: str | None) -> tuple[int, int] | None:
    """ "64" or "64x96" (height x width) -> (height, width)."""
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise UserError(f"`size` {text}: give a side (64), height x width (64x96), or auto")
    return int(sides[0]), int(sides[-1])


def wanted_size(text: str | None) -> tuple[int, int] | str | None:
    """`parse_size`, or "auto"."""
    return text if text == AUTO else parse_size(text)


def parse_bands(text: str | None) -> tuple[int, ...]:
    """ "1,2,3" -> (1, 2, 3)"""
    try:
        return () if text is None else tuple(map(int, text.split(",")))
    except ValueError:
        raise UserError(f"`bands` {text}: give one band (4) or three (1,2,3), from 1") from None


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


def kind_of_images(channels: int) -> str:
    """The kind of images with so many channels, in words."""
    return KINDS.get(channels, f"{channels} channels")
