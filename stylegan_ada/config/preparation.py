"""The preparation of a set's images and labels: one value, handed on whole from options to pixels."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from unicodedata import normalize

from ..errors import UserError, nearest
from .attributes import AskedAttribute
from .masks import REFUSED, AskedKind, check_masks

FITS = ("crop", "pad", "stretch")
AUTO = "auto"
PAGES = ("first", "all")
CHANNELS = {"gray": 1, "rgb": 3, "rgba": 4}
BORDERS = ("edge", "reflect")  # backgrounds that are no colour
ALL = "all"
NO_SPLIT = "none"
GIVE = "give folder:2, the folder at that level from 1 at the top, or name:PATTERN, a regular expression"


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Checks itself: UserError for a value that is impossible.

    size: in pixels, (height, width), or the side of a square; None takes the images' own size, which must be one;
    "auto" chooses one by the median image, and leaves out those that are too small for it. fit: "crop" (the centre),
    "pad" or "stretch". background: behind transparent pixels and around padded images, a colour, "edge" or "reflect"
    (behind transparent pixels lies white then). pages: "first" or "all", of files that hold several pictures.
    bands: which of an image's bands are its gray values (one) or its colours (three), from 1; () goes by the file.
    channels: 1, 3, or 4 (RGBA, the colours multiplied by alpha); None is 1 if no image has colour, else 3.
    beyond_8_bits: whether to keep what images have beyond 8 bits; None does so where all of them have it. window: the
    values that become black and white then; None: the lowest and the highest of all. use_labels: False ignores them.
    file_column, label_column: of a table of labels; None takes those with a usual name.
    split: "train", or several ("train,val"), of a set that has such folders or such a column; None takes all of them,
    "none" takes folders of these names as classes. groups: what images belong to, "folder:2" or "name:PATTERN" of their
    paths (`group_rule`); None goes by the column `group` of labels.csv.
    attributes: what images are labelled by in place of one class: columns of a table, without one the levels of folders
    from the top; () is one class. split_names: what parts the names of classes into these attributes; None does not.
    masks: where the images' masks lie: "auto" (beside them), "alpha" (their transparency), a folder, or a file of
    annotations; None takes images alone. mask_kinds: which values stand for what; () goes by the values that occur.
    ignore: a value that says nothing. unmasked: "refused", or "background" where an image without a mask shows nothing.
    """

    size: tuple[int, int] | int | str | None = None
    fit: str = "crop"
    background: str = "white"
    pages: str = "first"
    bands: tuple[int, ...] = ()
    channels: int | None = None
    beyond_8_bits: bool | None = None
    window: tuple[float, float] | None = None
    use_labels: bool = True
    file_column: str | None = None
    label_column: str | None = None
    split: str | None = None
    groups: str | None = None
    attributes: tuple[AskedAttribute, ...] = ()
    split_names: str | None = None
    masks: str | None = None
    mask_kinds: tuple[AskedKind, ...] = ()
    ignore: int | None = None
    unmasked: str = REFUSED

    def __post_init__(self) -> None:
        if isinstance(self.size, int):
            object.__setattr__(self, "size", (self.size, self.size))
        if isinstance(self.size, str) and self.size != AUTO:
            raise UserError(f"size {self.size!r} is impossible: give a height and a width, or {AUTO!r}")
        if isinstance(self.size, tuple) and min(self.size) < 1:
            height, width = self.size
            raise UserError(f"size {height}x{width} is impossible: give a height and a width of 1 pixel or more")
        if self.fit not in FITS:
            raise UserError(f"no fit {self.fit!r}: {nearest(self.fit, FITS)}")
        if self.channels not in (None, *CHANNELS.values()):
            raise UserError(
                f"{self.channels} channels are impossible: choose 1 (gray), 3 (colour) or 4 (colour and alpha)"
            )
        if self.pages not in PAGES:
            raise UserError(f"no pages {self.pages!r}: {nearest(self.pages, PAGES)}")
        if self.bands and (len(self.bands) not in (1, 3) or min(self.bands) < 1):
            raise UserError(f"`bands` {','.join(map(str, self.bands))}: give one band (4) or three (1,2,3), from 1")
        if self.bands and self.channels == CHANNELS["rgba"]:
            raise UserError("`channels` rgba: chosen `bands` have no transparency, leave one of the two out")
        check_background(self.background)
        check_split(self.split)
        if self.groups is not None:
            group_rule(self.groups)
        _check_attributes(self)
        check_masks(self.masks, self.mask_kinds, self.ignore, self.unmasked)


def check_background(text: str) -> None:
    """Raises UserError unless it is one of BORDERS, or a colour without transparency as Pillow knows it."""
    if text in (*BORDERS, "black", "white"):
        return
    from PIL import ImageColor  # here, since a packed set is read without it

    try:
        if len(ImageColor.getrgb(text)) == 3:
            return
    except ValueError:
        pass
    raise UserError(f"`background` {text}: give a colour (black, #20a0ff), edge or reflect")


def _check_attributes(of: Preparation) -> None:
    if of.split_names is not None and not of.attributes:
        raise UserError(f"`split_names` {of.split_names}: name the parts by `attributes`, such as type,degree")
    if of.split_names == "":
        raise UserError("`split_names` is empty: give what stands between the parts of a name, such as -")
    if of.attributes and of.label_column is not None and of.split_names is None:
        raise UserError(
            f"`label_column` {of.label_column}: `attributes` names the columns, leave one out or give `split_names`"
        )


def check_split(split: str | None) -> None:
    """Raises UserError unless it names splits, or is "none" or None."""
    if split is not None and (not all(words := split_words(split)) or (NO_SPLIT in words and len(words) > 1)):
        raise UserError(f"`split` {split!r:.80}: give train, val or test, several with commas between them, or none")


def split_words(split: str) -> list[str]:
    """ "train,val" -> ["train", "val"]"""
    return [word.strip() for word in split.split(",")]


def group_rule(text: str) -> Callable[[str], str | None]:
    """ "folder:2" or "name:(P\\d+)_" -> a function of a path with "/" between its folders: its group, None where it has
    none. Forms of Unicode do not count. UserError for text that is neither."""
    kind, _, what = text.partition(":")
    if kind == "folder" and re.fullmatch("[1-9][0-9]{0,3}", what):
        return lambda path: _folder(path, int(what))
    if kind != "name" or not what:
        raise UserError(f"`groups` {text!r:.200}: {GIVE}")
    try:
        pattern = re.compile(normalize("NFC", what))
    except (re.error, OverflowError, RecursionError) as error:
        raise UserError(f"`groups` {text!r:.200}: this is no regular expression ({error}), {GIVE}") from None
    return lambda path: _found(pattern, path)


def _folder(path: str, level: int) -> str | None:
    folders = normalize("NFC", path).split("/")[:-1]
    return folders[level - 1].strip() if len(folders) >= level else None


def _found(pattern: re.Pattern[str], path: str) -> str | None:
    """The pattern's first group if it has any, otherwise all that matches. Where that is empty there is none, or all
    such images would be of one group."""
    match = pattern.search(normalize("NFC", path))
    return (match[min(pattern.groups, 1)] or None) if match else None
