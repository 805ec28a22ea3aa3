"""The training, validation and test images that a set's maker has marked: by folders, or by a table's column."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ...config.preparation import NO_SPLIT, split_words
from ...errors import UserError

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
# train_images, Training Data, val2017 (COCO)
NAMED = re.compile(rf"({'|'.join(SPLIT_NAMES)})(?:[ _-]?(?:set|data|images?|imgs?|\d{{4}}))?", re.IGNORECASE)


class NoSplits(UserError):
    """A split is asked for, and the set has none."""


@dataclass(frozen=True)
class Splits:
    """of: image -> the name of its split, as folder or table have it; {} without splits. below: image -> its path
    without the folders that say it, and without folders that hold all images. by: "folders" or "the column `split`"."""

    of: Mapping[str, str] = field(default_factory=dict)
    below: Mapping[str, str] = field(default_factory=dict)
    by: str = "folders"

    @property
    def names(self) -> list[str]:
        """The names of the splits, in the order of training, validation, test, then others."""
        order = [*dict.fromkeys(SPLIT_NAMES.values())]
        found = sorted(set(self.of.values()))
        return sorted(found, key=lambda name: order.index(same) if (same := split_name(name)) in order else len(order))


def split_name(name: str) -> str:
    """One name for all names of a split: "train" of "Training"."""
    found = NAMED.fullmatch(name.strip())
    return SPLIT_NAMES[found[1].lower()] if found else name.strip().lower()


def is_split(folder: str) -> bool:
    """Whether a folder of that name may hold a split."""
    return NAMED.fullmatch(folder) is not None


def splits_of_folders(names: Iterable[str], split: str | None) -> Splits:
    """The splits that folders make: at the top (train/cat/1.png), or in the folders at the top (cat/train/1.png).

    They are splits where all images lie in such, and in two of them at least; none are for `split` "none".
    """
    parts = {name: tuple(name.split("/")) for name in names}
    common = _common(parts.values())
    below = {name: path[common:] for name, path in parts.items()}
    for depth in (0, 1) if split != NO_SPLIT else ():
        of = {name: path[depth] for name, path in below.items() if len(path) > depth + 1}
        if len(of) == len(below) and len({split_name(word) for word in of.values()}) > 1 and _all_known(of.values()):
            rest = {name: path[:depth] + path[depth + 1 :] for name, path in below.items()}
            common = _common(rest.values())
            return Splits(of, {name: "/".join(path[common:]) for name, path in rest.items()})
    return Splits(below={name: "/".join(path) for name, path in below.items()})


def chosen_names(names: Collection[str], splits: Splits, split: str | None, place: str) -> list[str]:
    """The images of `names` in the splits that `split` ("train", "train,val") names. NoSplits, UserError if there are
    none."""
    if split in (None, NO_SPLIT):
        return list(names)
    assert split is not None
    if not splits.of:
        raise NoSplits(
            f"`split` {split}: {place!r} has neither folders train, val, test at its top nor a column split in "
            "labels.csv: leave it out"
        )
    wanted = {split_name(word) for word in split_words(split)}
    missing = sorted(wanted - {split_name(word) for word in splits.of.values()})
    if missing:
        raise UserError(f"`split` {split}: no {missing[0]!r} in {place!r}, there are {', '.join(splits.names)[:300]}")
    return [name for name in names if split_name(splits.of.get(name, "")) in wanted]


def _all_known(words: Iterable[str]) -> bool:
    return all(map(is_split, set(words)))


def _common(paths: Iterable[tuple[str, ...]]) -> int:
    """The number of folders that all paths begin with."""
    shared: tuple[str, ...] | None = None
    for path in paths:
        folders = path[:-1]
        if shared is None:
            shared = folders
        count = 0
        for one, other in zip(shared, folders, strict=False):
            if one != other:
                break
            count += 1
        shared = shared[:count]
    return len(shared or ())
