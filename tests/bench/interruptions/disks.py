"""Disks that are full, read-only, slow, or without locks while a command writes to them."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from .commands import Ended, Place
from .compare import differences, temporaries, unreadable
from .hook import Fail, Fill, Release, Strike, kill, on_a_slow_disk, without_locks
from .kills import undisturbed
from .subjects import commands_on, train_command
from .table import Row

DISK = "128m"  # bytes, amply for a run and its cache
LARGEST = (100, 2_000, 20_000, 60_000, 150_000)  # bytes that a file may have


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A small disk in memory at `folder`. Needs root."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    """how: "ro" or "rw"."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def faults(ended: Ended, code: int) -> list[str]:
    """What is wrong with a command that was to end with this code, in one line."""
    lines = [] if ended.code == code else [f"exit code {ended.code}, not {code}: {ended.err[-300:]!r}"]
    if code and [line.startswith("stylegan-ada: error: ") for line in ended.errors] != [True]:
        lines.append(f"not one line: {ended.err[-1500:]!r}")
    return lines


def ends_well(place: Place, arguments: list[str], expected: Path, said: Path) -> list[str]:
    """What was lost in a folder in which a command was disturbed, once it has gone on to its end."""
    lost = unreadable(place.out) if place.out.exists() else []
    ended = place.run(arguments, said=said)
    lost += [] if "it exists already" in ended.err else faults(ended, 0)  # as a finished set does
    lost += [f"{path.relative_to(place.path)} is left behind" for path in temporaries(place.path)]
    return lost + differences(expected, place.out)


def kinds_written(written: Sequence[str]) -> list[tuple[str, str]]:
    """("open" or "append", name) of each kind of file that a command writes."""
    pairs = dict.fromkeys(tuple(line.split(" ", 1)) for line in written)
    return [(kind, name) for kind, name in pairs if kind in ("open", "append")]


def full(folder: Path, name: str, arguments: list[str], expected: Path, written: Sequence[str]) -> list[Row]:
    """A disk that gets full as each kind of file of the command `name` is written: nothing of it fits, or a page."""
    rows = []
    for left, words in ((0, "nothing"), (4096, "4 KiB")):
        lost: list[str] = []
        kinds = kinds_written(written)
        for number, (kind, file) in enumerate(kinds):
            said = folder / f"said{left}-{number}"
            with disk(folder / f"disk{left}-{number}") as mounted:
                place, ballast = Place(mounted / "place"), mounted / "ballast"
                otherwise = Release(ballast) if kind == "append" else None
                strike = Strike(kind, file, Fill(ballast, left), again=True, otherwise=otherwise)
                ended = place.run(arguments, strike, said=said)
                ballast.unlink(missing_ok=True)
                found = faults(ended, 1) if ended.code else []
                found += ends_well(place, arguments, expected, said)
                lost += [f"{what} ({kind} {file})" for what in found]
        rows.append(_row(f"`{name}`: a full disk at each kind of file, of which {words} fits", len(kinds), lost))
    return rows


def limited(folder: Path, arguments: list[str], expected: Path, sizes: Sequence[int] = LARGEST) -> Row:
    """Files that may not grow beyond a size, as by `ulimit -f`. Needs no root."""
    lost = []
    for size in sizes:
        place, said = Place(folder / str(size)), folder / f"said{size}"
        ended = place.run(arguments, largest=size, said=said)
        found = faults(ended, 1)
        if place.out.exists():
            found += unreadable(place.out)
        found += ends_well(place, arguments, expected, said)
        lost += [f"{what} (of {size} bytes)" for what in found]
    return _row("files that may not grow beyond a size", len(sizes), lost)


def read_only(folder: Path, arguments: list[str], expected: Path, written: Sequence[str]) -> list[Row]:
    """A disk that is read-only when a run goes on, or from some moment on."""
    said = folder / "said"
    with disk(folder / "disk") as mounted:
        place = Place(mounted / "place")
        place.run(arguments, Strike("rename", "generator.safetensors", kill, at=3), said=said)
        remount(mounted, "ro")
        lost = faults(place.run(arguments, said=said), 2)
        remount(mounted, "rw")
        lost += ends_well(place, arguments, expected, said)
    rows = [_row("a disk that is read-only when the command goes on", 1, lost)]
    lost, kinds = [], kinds_written(written)
    for number, (kind, name) in enumerate(kinds):
        place, said = Place(folder / str(number)), folder / f"said{number}"
        ended = place.run(arguments, Strike(kind, name, Fail(errno.EROFS), again=True), said=said)
        found = faults(ended, 2) if ended.code else []
        found += ends_well(place, arguments, expected, said)
        lost += [f"{what} ({kind} {name})" for what in found]
    return [*rows, _row("a disk that gets read-only at each kind of file", len(kinds), lost)]


def read_only_cache(folder: Path, arguments: list[str], expected: Path) -> Row:
    """A cache that cannot be written: empty, and with all that is needed."""
    place, said = Place(folder / "place"), folder / "said"
    with disk(place.cache):
        remount(place.cache, "ro")
        lost = faults(place.run(arguments, said=said), 2)
        remount(place.cache, "rw")
        lost += faults(place.run(arguments, said=said), 0)
        subprocess.run(["rm", "-rf", str(place.out)], check=True)
        remount(place.cache, "ro")
        lost += faults(place.run(arguments, said=said), 0)
    return _row("a cache that is read-only, empty or not", 2, lost + differences(expected, place.out))


def odd(folder: Path, arguments: list[str], expected: Path, first: Callable[[], None], what: str, said: str) -> Row:
    """A file system of which a warning must say `said` once, or nothing if that is ""."""
    place = Place(folder)
    ended = place.run(arguments, first=first)
    lost = faults(ended, 0)
    if said and ended.err.count(said) != 1:
        lost.append(f"{said!r} is said {ended.err.count(said)} times")
    return _row(what, 1, lost + differences(expected, place.out))


def rows(out: Path, seconds: float) -> list[Row]:
    """What comes of commands on disks of all kinds. It takes the time that it takes."""
    arguments = train_command(out)
    reference = Place(out / "undisturbed")
    ended, expected = undisturbed(reference, arguments), reference.out
    alone = partial(odd, arguments=arguments, expected=expected)
    found = [
        limited(out / "limited", arguments, expected),
        alone(out / "no locks", first=without_locks, what="a file system without locks", said="has no locks"),
        alone(out / "slow", first=on_a_slow_disk, what="a disk that waits at each file", said=""),
    ]
    if os.geteuid():
        return [*found, Row(what="disks of its own, which need root", times=0, lost="not tried")]
    found += full(out / "full", "train", arguments, expected, ended.written)
    for name, more in commands_on(expected, out).items():
        place = Place(out / name.replace(" ", "-"))
        done = undisturbed(place, more)
        found += full(out / f"full {name}", name, more, place.out, done.written)
    found += read_only(out / "read-only", arguments, expected, ended.written)
    return [*found, read_only_cache(out / "cache", arguments, expected)]


def _row(what: str, times: int, lost: Sequence[str]) -> Row:
    return Row(what=what, times=times, lost="; ".join(lost) or "nothing")
