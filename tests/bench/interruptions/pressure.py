"""A long run at tiny size, whose memory, open files and threads are watched; and one with too little memory."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from PIL import Image

from .table import Row

EVERY = 2.0  # seconds between two looks
MOST_GROWTH = 2.0  # MB, in the second half


class Look(NamedTuple):
    """At a process."""

    megabytes: float
    files: int
    threads: int


def rows(out: Path, seconds: float) -> list[Row]:
    """A soak of so many seconds, and limits to the memory."""
    images = out / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(64):
        Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8)).save(images / f"{index}.png")
    return [_soak(images, out / "soak", seconds), *_limits(images, out)]


def _command(images: Path, run: Path, **options: float) -> list[str]:
    given = {
        "size": 16,
        "batch": 8,
        "channel-base": 64,
        "channel-max": 8,
        "evaluate-kimg": 0,
        "device": "cpu",
        **options,
    }
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "-m", "stylegan_ada", "train", "--data", str(images), "--out", str(run), *words]


def _soak(images: Path, run: Path, seconds: float) -> Row:
    """With a tick and a snapshot every few seconds, and measurements of it."""
    command = _command(images, run, **{"kimg": 1e6, "tick-kimg": 0.2, "snapshot-kimg": 2, "evaluate-kimg": 4})
    looks: list[Look] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            time.sleep(EVERY)
            looks.append(_look(process.pid))
        process.terminate()
    half, quarter = looks[len(looks) // 2 :], max(1, len(looks) // 8)
    first, last = half[:quarter], half[-quarter:]
    growth = median(one.megabytes for one in last) - median(one.megabytes for one in first)
    files, threads = (
        max(getattr(one, name) for one in last) - max(getattr(one, name) for one in first)
        for name in ("files", "threads")
    )
    bad = growth >= MOST_GROWTH or files > 0 or threads > 0 or process.returncode != 130
    grown = f"{growth:+.1f} MB, {files:+d} open files, {threads:+d} threads in the second half"
    return Row(
        what=f"{seconds / 60:.0f} minutes of training, measuring and saving at 16 px: {grown}",
        times=1,
        lost=f"it grew, or ended with {process.returncode}" if bad else "nothing",
    )


def _look(pid: int) -> Look:
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return Look(int(status["VmRSS"].split()[0]) / 1024, files, int(status["Threads"]))


def _limits(images: Path, out: Path) -> list[Row]:
    def addresses(megabytes: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, resource.RLIM_INFINITY))

    found = [_short_of_memory(images, out / "addresses", "RLIMIT_AS", addresses, range(800, 1600, 100))]
    group = Path(f"/sys/fs/cgroup/memory/stylegan-ada-bench-{os.getpid()}")
    try:
        group.mkdir()
    except OSError:
        return found  # no right to, or another version of control groups

    def grouped(megabytes: int) -> Callable[[], None]:
        (group / "memory.limit_in_bytes").write_text(str(megabytes * 2**20))
        return lambda: (group / "cgroup.procs").write_text("0")

    found.append(_short_of_memory(images, out / "grouped", "a control group", grouped, range(400, 1000, 100)))
    group.rmdir()
    return found


def _short_of_memory(
    images: Path, runs: Path, by: str, limited: Callable[[int], Callable[[], object]], sizes: range
) -> Row:
    """Each of so many megabytes is either enough for the whole run, or too little, which is said before a step."""
    lost, enough = [], []
    for megabytes in sizes:
        run = runs / str(megabytes)
        command = _command(images, run, **{"batch": 64, "channel-base": 4096, "channel-max": 64, "kimg": 0.128})
        ended = subprocess.run(command, capture_output=True, text=True, preexec_fn=limited(megabytes), check=False)
        last = (ended.stderr.splitlines() or [""])[-1]
        if ended.returncode == 0:
            enough.append(megabytes)
        elif ended.returncode != 1 or "memory" not in last or list(run.glob("checkpoint-*")):
            lost.append(f"{megabytes} MB: {ended.returncode}, {last}")
    return Row(
        what=f"memory limited by {by} to {sizes[0]} to {sizes[-1]} MB; enough: {enough}",
        times=len(sizes),
        lost="; ".join(lost) or "nothing",
    )
