"""Commands that are killed, again and again in one folder, until they have got to their end."""

import os
import random
import shutil
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import click

from .commands import Ended, Place
from .compare import differences, temporaries
from .hook import Strike, cut_and_kill, kill
from .subjects import commands_on, make_images, train_command
from .table import Row

SEED = 32


@dataclass
class Tally:
    """kills: in all. inside: of them, those on purpose in a write. lost: what was not as without a kill."""

    kills: int = 0
    inside: int = 0
    lost: list[str] = field(default_factory=list)


def undisturbed(place: Place, arguments: list[str]) -> Ended:
    """The command, that must go well."""
    ended = place.run(arguments)
    if ended.code:
        raise RuntimeError(f"{arguments[0]} ended with {ended.code}: {ended.err}")
    return ended


def strikes_at(written: Iterable[str]) -> list[Strike]:
    """A kill before, in the middle of and after the bytes of each kind of file that a command writes, and before it
    deletes one: of the first such file, and of the last. written: of the command, when nothing disturbs it."""
    first, last = [], []
    for line, count in Counter(written).items():
        kind, name = line.split(" ", 1)
        if not name.startswith((".lock", "events.out.tfevents.")):
            for act in (cut_and_kill, kill) if kind in ("rename", "append") else (kill,):
                first.append(Strike(kind, name, act))
                last += [Strike(kind, name, act, at=count)] if count > 1 else []
    return first + last


def interrupt(
    arguments: list[str], base: Path, expected: Path, strikes: Sequence[Strike], moments: Sequence[float] = ()
) -> Tally:
    """Kills the command by each of the strikes, and after so many seconds each, and lets it go on after each. A command
    that got to its end is compared with `expected`, and the kills that are left meet another one."""
    tally, left, folder = Tally(), deque[Strike | float]([*strikes, *moments]), 0
    while left:
        place, history = Place(base / str(folder)), []
        folder += 1
        for one in list(left):
            ended = _killed_by(one, place, arguments)
            _let_age(place.cache)
            left.popleft()
            if not ended.killed:
                break
            tally.kills += 1
            tally.inside += isinstance(one, Strike)
            history.append(_words(one))
        if ended.killed:
            ended = place.run(arguments)
        elif not history and isinstance(one, Strike):
            tally.lost.append(f"there was no {_words(one)}")
        elif isinstance(one, Strike):
            left.append(one)
        lost = differences(expected, place.out)
        if ended.code and "it exists already" not in ended.err:  # as a finished set does
            lost.insert(0, f"exit code {ended.code}: {ended.err}")
        lost += [f"{name} is left over" for name in {*os.listdir(place.path)} - {*os.listdir(expected.parent)}]
        lost += [f"{path.relative_to(place.path)} is left behind" for path in temporaries(place.path)]
        tally.lost += [f"{what} ({', '.join(history)})" for what in lost]
    return tally


def _killed_by(one: Strike | float, place: Place, arguments: list[str]) -> Ended:
    return place.run(arguments, one) if isinstance(one, Strike) else place.run(arguments, kill_after=one)


def _words(one: Strike | float) -> str:
    if not isinstance(one, Strike):
        return f"after {one:.2f} s"
    return f"{'half of ' if one.act is cut_and_kill else ''}{one.kind} {one.name} {one.at}"


def _let_age(cache: Path) -> None:
    """What lies in a cache for ten minutes is nobody's any more."""
    for path in temporaries(cache):
        os.utime(path, (time.time() - 3600,) * 2)


def two_packers(base: Path, rng: random.Random, times: int) -> Tally:
    """Two processes pack one set at once, and are killed at random, again and again; then one packs it alone."""
    images = make_images(base / "images", {"a": 300, "b": 200})
    arguments = ["train", "--data", str(images), "--size", "16", "--kimg", "1", "--device", "cpu", "--dry-run"]
    clean, tally = Place(base / "clean"), Tally()
    start = time.perf_counter()
    undisturbed(clean, arguments)
    longest = time.perf_counter() - start
    place = Place(base / "both")

    def pack(number: int, after: float) -> Ended:
        return place.run(arguments, kill_after=after, said=base / f"said{number}")

    for _ in range(times):
        if rng.random() < 0.5:
            shutil.rmtree(place.cache, ignore_errors=True)
        with ThreadPoolExecutor(2) as pool:
            ended = list(pool.map(pack, range(2), [rng.uniform(0, longest) for _ in range(2)]))
        tally.kills += sum(one.killed for one in ended)
        tally.lost += [f"exit code {one.code}: {one.err}" for one in ended if not one.killed and one.code]
    _let_age(place.cache)
    undisturbed(place, arguments)
    tally.lost += differences(clean.cache / "datasets", place.cache / "datasets")
    return tally


def rows(out: Path, seconds: float) -> list[Row]:
    """Every command, killed inside each write and at random moments; those of `train` fill up the time."""
    end, rng = time.monotonic() + seconds, random.Random(SEED)
    click.echo(f"kills: moments by seed {SEED}", err=True)
    train, reference = train_command(out), Place(out / "train" / "undisturbed")
    found = _both("train", train, reference, rng)
    for name, arguments in commands_on(reference.out, out).items():
        found += _both(name, arguments, Place(out / name.replace(" ", "-") / "undisturbed"), rng)
    found.append(_row("the cache packed by two processes, both killed", two_packers(out / "packing", rng, 20)))
    more, number = Tally(), 0
    while time.monotonic() < end:
        moments = [rng.uniform(0.3, 5) for _ in range(10)]
        one = interrupt(train, out / "train" / f"more{number}", reference.out, [], moments)
        more.kills, more.lost, number = more.kills + one.kills, more.lost + one.lost, number + 1
    return [*found, _row("`train` killed at further random moments", more)]


def _both(name: str, arguments: list[str], reference: Place, rng: random.Random) -> list[Row]:
    start = time.perf_counter()
    ended = undisturbed(reference, arguments)
    took, base = time.perf_counter() - start, reference.path.parent
    inside = interrupt(arguments, base / "inside", reference.out, strikes_at(ended.written))
    moments = [rng.uniform(0, took) for _ in range(20)]
    at_random = interrupt(arguments, base / "random", reference.out, [], moments)
    return [
        _row(f"`{name}` killed before, in and after the bytes of each kind of file", inside),
        _row(f"`{name}` killed at random moments", at_random),
    ]


def _row(what: str, tally: Tally) -> Row:
    return Row(what=what, times=tally.kills, lost="; ".join(tally.lost) or "nothing")
