"""Finding the image that an entry of a label file means, if its name is not spelled exactly as the file's is."""

import difflib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from unicodedata import normalize

from ...errors import UserError
from .files import GROUP, Entry


def match(
    file: str, entries: Sequence[Entry], names: Collection[str], masks: Collection[str] = ()
) -> tuple[dict[str, Entry], list[str]]:
    """The entry of each image of `names`, and notes on those that were not found letter by letter.

    A name may be written in another form of Unicode or in another case, lack the suffix or folders, or have more
    folders before it, where that fits one image alone. An entry may stand there twice. UserError, naming the first,
    for entries that fit no image or several, entries of one image that disagree or have other names, and images
    without an entry, unless they are of `masks`.
    """
    exact = set(names)
    fitting = _Names(names) if any(entry.name not in exact for entry in entries) else None
    found = [
        (entry, [entry.name] if fitting is None or entry.name in exact else fitting.of(entry.name)) for entry in entries
    ]
    _refuse_unfit(file, found, names)
    ways: Counter[str] = Counter()
    entry_of: dict[str, Entry] = {}
    for entry, (name, *_) in found:
        if name not in entry_of:
            entry_of[name] = entry
            ways[_way(entry.name, name)] += 1
        else:
            _refuse_other(file, name, entry_of[name], entry)
    left_out = sorted(exact.difference(entry_of, masks))
    if left_out:
        raise UserError(f"{file} has no label for {len(left_out)} images (first: {left_out[0]!r:.300}): add them")
    notes = []
    ways.pop("", None)
    if ways:
        how = ", ".join(f"{count} {way}" for way, count in ways.most_common())
        notes.append(f"{file}: of {len(entry_of)} names {ways.total()} were matched that are written otherwise: {how}")
    if len(entries) > len(entry_of):
        notes.append(f"{file}: {len(entries) - len(entry_of)} entries stand there again, and agree")
    return entry_of, notes


class _Names:
    """Images by their last name without case, with and without its suffix."""

    def __init__(self, names: Collection[str]):
        self._by_last: dict[str, list[str]] = defaultdict(list)
        self._whole: dict[str, list[str]] = defaultdict(list)
        for name in names:
            self._whole[normalize("NFC", name)].append(name)
            last = _plain(name).rsplit("/", 1)[-1]
            for key in {last, _stem(last)}:
                self._by_last[key].append(name)

    def of(self, name: str) -> list[str]:
        """The images that the name fits, of the strictest kind of fit that any has."""
        same = self._whole.get(normalize("NFC", name))
        if same:
            return same
        plain = _plain(name)
        fits = [
            image for image in self._by_last.get(plain.rsplit("/", 1)[-1], ()) if _folders_fit(plain, _plain(image))
        ]
        return [image for image in fits if _plain(image) == plain] or fits


def _plain(name: str) -> str:
    return normalize("NFC", normalize("NFC", name).casefold())


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _folders_fit(one: str, other: str) -> bool:
    """Whether the folders of one of them are the last ones of the other's."""
    return all(a == b for a, b in zip(one.split("/")[-2::-1], other.split("/")[-2::-1], strict=False))


def _way(written: str, name: str) -> str:
    """The differences between `written` and the image's name, in words; "" if there are none."""
    return ", ".join(_differences(written, name))


def _differences(written: str, name: str) -> Iterator[str]:
    folders, own_folders = written.count("/"), name.count("/")
    if folders < own_folders:
        yield "without folder"
    if folders > own_folders:
        yield "with the path before it"
    if _plain(written).rsplit("/", 1)[-1] != _plain(name).rsplit("/", 1)[-1]:
        yield "without suffix"
        name = _stem(name)
    shared = -1 - min(folders, own_folders)
    tail, own_tail = "/".join(written.split("/")[shared:]), "/".join(name.split("/")[shared:])
    if normalize("NFC", tail) != normalize("NFC", own_tail):
        yield "in another case"
    elif tail != own_tail:
        yield "in another form of Unicode"


def _refuse_unfit(file: str, found: Sequence[tuple[Entry, Sequence[str]]], names: Collection[str]) -> None:
    missing = [entry for entry, fits in found if not fits]
    if missing:
        close = difflib.get_close_matches(missing[0].name, names, n=1, cutoff=0.3)
        nearest = f"; the nearest file is {close[0]!r:.300}" if close else f"; there is {min(names)!r:.300}"
        raise UserError(
            f"{file} names {len(missing)} images that are not there (first: {missing[0].name!r:.300}, "
            f"{missing[0].place}{nearest}): correct these names, add the files, or remove the entries"
        )
    several = [(entry, fits) for entry, fits in found if len(fits) > 1]
    if several:
        entry, fits = several[0]
        raise UserError(
            f"{file} has {len(several)} names that fit several images (first: {entry.name!r:.300}, {entry.place}: "
            f"{fits[0]!r:.300} or {fits[1]!r:.300}): write them with folder and suffix"
        )


def _refuse_other(file: str, name: str, first: Entry, again: Entry) -> None:
    """Raises UserError unless both entries of an image say the same."""
    if normalize("NFC", first.name) != normalize("NFC", again.name):
        raise UserError(
            f"{file}: {first.place} ({first.name!r:.300}) and {again.place} ({again.name!r:.300}) fit no other image "
            f"than {name!r:.300}: write names as the files have them"
        )
    for what, one, other in (
        ("label", first.label, again.label),
        (GROUP, first.row.get(GROUP), again.row.get(GROUP)),
    ):
        if one != other:
            raise UserError(
                f"{file}: {first.place} and {again.place} give {name!r:.300} the {what}s {one!r:.80} and "
                f"{other!r:.80}: keep one of them"
            )
