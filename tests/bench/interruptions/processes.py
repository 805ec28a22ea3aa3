"""Processes of torchrun that are killed or stopped: whether all end, one line says which, and the run goes on."""

import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .table import Row

LONGEST = 30  # seconds from a death to the end of all processes
BEGUN = "estimate:"  # said when training begins
OPTIONS = {
    "size": 16,
    "batch": 12,
    "channel-base": 64,
    "channel-max": 8,
    "precision": "fp32",
    "tick-kimg": 0.012,
    "snapshot-kimg": 0.036,
    "evaluate-kimg": 0,
}
END = """
import torch
from stylegan_ada import cli, distributed
def run(arguments):
    with distributed.group(torch.device("cpu")):
        distributed.any_rank(True)
    return 0
cli.run = run
cli.main([])
"""


def rows(out: Path, seconds: float) -> list[Row]:
    """All kinds, and what each lost, in `seconds`: each kind as often as it should be, or has time for."""
    out.mkdir(parents=True, exist_ok=True)
    images, script = write_images(out / "images"), out / "end.py"
    script.write_text(END)
    two, three, stops = out / "two", out / "three", out / "stops"
    kinds = [
        Kind("2 processes, one killed at a random moment", 20, 0.25, lambda n: killed(two, images, 2, n), two),
        Kind("3 processes, one killed at a random moment", 20, 0.25, lambda n: killed(three, images, 3, n), three),
        Kind("3 processes, one stopped (SIGSTOP)", 5, 0.15, lambda n: stopped(stops, images, 3, n), stops),
        Kind("--max-restarts 3, one of 2 killed thrice", 5, 0.15, lambda n: restarted(out / f"again-{n}", images, n)),
        Kind("2 processes that only begin and end", 200, 0.2, lambda n: ended(script)),
    ]
    return [row(kind, seconds, images) for kind in kinds]


@dataclass(frozen=True)
class Kind:
    """times: how often `attempt` is called with a number, if its share of the time allows. It returns what was lost, or
    "". out: where the attempts go on with one run, which one process finishes."""

    what: str
    times: int
    share: float
    attempt: Callable[[int], str]
    out: Path | None = None


def row(kind: Kind, seconds: float, images: Path) -> Row:
    end, losses = time.monotonic() + kind.share * seconds, []
    for number in range(kind.times):
        losses.append(kind.attempt(number))
        if time.monotonic() > end:
            break
    lost = [*losses, "" if kind.out is None else finished(kind.out, images)]
    return Row(what=kind.what, times=len(losses), lost=next(filter(None, lost), "nothing"))


def write_images(folder: Path) -> Path:
    """24 gray images of 16x16 in two classes."""
    rng = np.random.default_rng(0)
    for index in range(24):
        path = folder / ("bright", "dark")[index % 2] / f"{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 16)).astype(np.uint8)).save(path)
    return folder


class Launched:
    """A torchrun at work. Its processes are found by their environment."""

    def __init__(self, out: Path, count: int, command: list[str | Path], torchrun: tuple[str, ...] = ()):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        out.mkdir(parents=True, exist_ok=True)
        self.out_file, self.err_file = out / "stdout", out / "stderr"
        launcher = ["torch.distributed.run", "--nproc-per-node", str(count), "--master-port", self.port, *torchrun]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        with self.out_file.open("w") as stdout, self.err_file.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *launcher, *command], stdout=stdout, stderr=stderr, env=environment
            )

    def workers(self) -> dict[int, int]:
        """Ids of its processes that run or are stopped, by rank."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                words = dict(word.split("=", 1) for word in path.read_text().split("\0") if "=" in word)
            except (OSError, ValueError):  # it ended just now, or is of another kind
                continue
            if words.get("MASTER_PORT") == self.port:
                found[int(words["RANK"])] = int(path.parent.name)
        return found

    def wait_until(self, done: Callable[[], object], seconds: float) -> bool:
        """Whether `done` came to be true in time."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    @property
    def err(self) -> str:
        return self.err_file.read_text()

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None and not self.workers()

    def lines(self) -> list[str]:
        """Our lines of errors."""
        return [line for line in self.err.splitlines() if line.startswith("stylegan-ada: ")]


@contextmanager
def launched(out: Path, count: int, command: list[str | Path], torchrun: tuple[str, ...] = ()) -> Iterator[Launched]:
    run = Launched(out, count, command, torchrun)
    try:
        yield run
    finally:
        for pid in [*run.workers().values(), run.process.pid]:
            if run.process.poll() is None or pid != run.process.pid:
                os.kill(pid, signal.SIGKILL)
        run.process.wait()


def train(out: Path, images: Path, kimg: float, *more: str) -> list[str | Path]:
    script = Path(__file__).parents[3] / "train.py"
    options = [word for name, value in OPTIONS.items() for word in (f"--{name}", str(value))]
    return [script, "--data", images, "--out", out / "run", "--kimg", str(kimg), *options, *more]


def killed(out: Path, images: Path, count: int, seed: int) -> str:
    """Goes on with a run and kills a process. What was lost, or ""."""
    draws = random.Random(seed)
    with launched(out, count, train(out, images, 100)) as run:
        run.wait_until(lambda: len(run.workers()) == count, 60)
        if draws.random() < 0.75:  # else while they start
            run.wait_until(lambda: BEGUN in run.out_file.read_text(), 120)
        time.sleep(draws.uniform(0, 5))
        begun = BEGUN in run.out_file.read_text()
        workers = run.workers()
        rank = draws.randrange(count)
        os.kill(workers[rank], signal.SIGKILL)
        if not run.wait_until(lambda: run.has_ended, LONGEST):
            return f"not all ended in {LONGEST} s (seed {seed})"
        if wrong := told_wrong(run, f"process {rank} (pid {workers[rank]} on ", "died", begun):
            return f"{wrong} (seed {seed})"
    return ""


def told_wrong(run: Launched, who: str, what: str, begun: bool) -> str:
    """What is wrong with what was said, or "". Before the processes have met, torchrun's report says it alone."""
    lines = run.lines()
    if "stylegan_ada/" in run.err:
        return "a traceback"
    if len(lines) > 1 or (begun and not lines):
        return f"{len(lines)} lines of errors"
    if lines and (who not in lines[0] or what not in lines[0]):
        return f"the line {lines[0]!r}"
    return "" if run.process.returncode == 1 else f"exit code {run.process.returncode}"


def finished(out: Path, images: Path) -> str:
    """Lets one process go on with a run for 36 images. What was lost, or ""."""
    checkpoints = sorted((out / "run").glob("checkpoint-*.pt"))
    last = int(checkpoints[-1].stem.split("-")[1]) if checkpoints else 0
    with launched(out / "after", 1, train(out, images, (last + 36) / 1000)) as run:
        if run.process.wait() != 0:
            return f"the run, which did not go on: {run.err[-200:]!r}"
    if not (out / "run" / f"checkpoint-{last + 36:010d}.pt").exists():
        return "the checkpoint of the end"
    images_seen = [json.loads(line)["images"] for line in (out / "run" / "log.jsonl").read_text().splitlines()]
    gaps = {after - before for before, after in itertools.pairwise([0, *images_seen])}
    return "" if gaps == {12} else f"rows of the log (steps of {sorted(gaps)})"


def restarted(out: Path, images: Path, seed: int) -> str:
    """Kills a process thrice while torchrun restarts them. What was lost, or ""."""
    draws = random.Random(seed)
    with launched(out, 2, train(out, images, 1.2), ("--max-restarts", "3")) as run:
        for number in range(3):
            begun = run.wait_until(lambda n=number: run.out_file.read_text().count(BEGUN) > n, 120)
            if not begun:
                return f"the run: torchrun did not begin again after {number} deaths (seed {seed})"
            time.sleep(draws.uniform(0, 1))
            os.kill(run.workers()[draws.randrange(2)], signal.SIGKILL)
        if not run.wait_until(lambda: run.has_ended, 300) or run.process.returncode:
            return f"the run: torchrun ended with {run.process.returncode} (seed {seed})"
        if len(run.lines()) != 3 or "stylegan_ada/" in run.err:
            return f"{len(run.lines())} lines of errors for 3 deaths (seed {seed})"
    return "" if (out / "run" / "checkpoint-0000001200.pt").exists() else "the checkpoint of the end"


def stopped(out: Path, images: Path, count: int, seed: int) -> str:
    """Goes on with a run and stops a process. What was lost, or ""."""
    draws = random.Random(seed)
    with launched(out, count, train(out, images, 100, "--timeout", "0.1")) as run:
        if not run.wait_until(lambda: BEGUN in run.out_file.read_text(), 300):
            return "the run, which did not begin"
        time.sleep(draws.uniform(0, 2))
        workers = run.workers()
        rank = draws.randrange(count)
        os.kill(workers[rank], signal.SIGSTOP)
        if not run.wait_until(lambda: set(run.workers()) == {rank}, 6 + 10):
            return f"not all ended after the time-out (seed {seed})"
        if not run.wait_until(lambda: run.has_ended, LONGEST + 30):  # torchrun's SIGTERM, and SIGKILL after 30 s
            return f"the stopped process stayed (seed {seed})"
        if wrong := told_wrong(run, f"process {rank} (pid {workers[rank]} on ", "is stopped", True):
            return f"{wrong} (seed {seed})"
    return ""


def ended(script: Path) -> str:
    """Starts two processes that meet and end. What is wrong, or ""."""
    with launched(script.parent / "end", 2, [script]) as run:
        code = run.process.wait()
        return "" if code == 0 and not run.err else f"exit code {code}, {run.err[:200]!r}"
