"""Commands in processes of their own, forked from one that has imported everything, so that a kill costs no second."""

import fcntl
import functools
import hashlib
import json
import multiprocessing
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stylegan_ada.metrics.networks.extractor import Extractor

from .compare import timeless
from .hook import Strike, watch

IMPORTED = (
    "stylegan_ada.cli.train",
    "stylegan_ada.training.start",
    "stylegan_ada.report.plots",
    "stylegan_ada.synthetic.dataset",
    "stylegan_ada.projection.inputs",
    "matplotlib.backends.backend_agg",
    "torch.utils.tensorboard",
    "torch._dynamo",
    "sklearn.linear_model",
    "jinja2",
)
LONGEST = 300  # seconds that a command may take


@dataclass(frozen=True, kw_only=True)
class Ended:
    """code: of the process, -9 if it was killed. written: what it did to files, as `hook.watch` notes it."""

    code: int
    out: str
    err: str
    written: list[str]

    @property
    def killed(self) -> bool:
        return self.code == -9

    @property
    def errors(self) -> list[str]:
        """The lines on stderr but for warnings and the names of progress bars, which no terminal shows."""
        words = (
            "warning: ",
            "packing images",
            "generating",
            "projecting",
            "synthetic",
            "augmented images",
            "classifiers",
        )
        return [line for line in self.err.splitlines() if line.strip() and not line.startswith(words)]


class Place:
    """A folder in which a command runs: its `out`, its cache, and what it said."""

    def __init__(self, path: Path):
        self.path, self.out, self.cache = path, path / "out", path / "cache"

    def run(
        self,
        arguments: list[str],
        strike: Strike | None = None,
        *,
        kill_after: float | None = None,
        largest: int | None = None,
        first: Callable[[], None] | None = None,
        said: Path | None = None,
    ) -> Ended:
        """Runs a command with `out`. strike: what the hook does. kill_after: seconds. largest: bytes that a file may
        have. first: called in the process before. said: a folder for its words, if not this one."""
        said = said or self.path
        said.mkdir(parents=True, exist_ok=True)
        pipes = [_pipe(said / name) for name in ("stdout", "stderr", "written")]
        line = [*arguments, "--out", str(self.out)]
        process = server().Process(target=_run, args=(line, self, strike, largest, first, said))
        process.start()
        process.join(kill_after if kill_after is not None else LONGEST)
        if process.is_alive():
            process.kill()
            process.join()
            if kill_after is None:
                raise TimeoutError(f"{line} took more than {LONGEST} s")
        out, err, written = map(_all_of, pipes)
        assert process.exitcode is not None
        return Ended(code=process.exitcode, out=out, err=err, written=written.splitlines())


def _pipe(path: Path) -> int:
    """The reading end of a pipe with a name. What is said goes into pipes, which no limit of files concerns."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 2**20)
    return end


def _all_of(pipe: int) -> str:
    """What was written to a pipe by a process that has ended."""
    with os.fdopen(pipe, "rb") as file:
        return file.read().decode()


@functools.cache
def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def _run(
    line: list[str],
    place: Place,
    strike: Strike | None,
    largest: int | None,
    first: Callable[[], None] | None,
    said: Path,
) -> None:
    """What the forked process does."""
    import torch

    os.environ["STYLEGAN_ADA_CACHE"] = str(place.cache)
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(said / name, os.O_WRONLY)
        os.dup2(file, number)
    sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
    measure_cheaply()
    if first is not None:
        first()
    watch(place.path, said / "written", strike)
    if largest is not None:  # Python ignores SIGXFSZ
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    from stylegan_ada.cli import main

    main(line)


class Pixels(Extractor):
    """Two rows of pixels as features."""

    identity = "pixels"
    name = "Pixels"

    def _of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return images[:, :2, :, 0].reshape(len(images), -1).astype(np.float32) / 255


def measure_cheaply() -> None:
    """16 images, by their pixels, a clock that always shows the same time, and in place of curves, which take most of a
    tiny run's time, a digest of their values as a picture."""
    from stylegan_ada.report import plots
    from stylegan_ada.training import evaluation
    from stylegan_ada.training.outputs import between_ticks, snapshot

    def plot_digest(rows: Any, path: Any, panels: Any = None) -> None:
        digest = hashlib.sha256(json.dumps(timeless(rows)).encode()).digest()
        Image.fromarray(np.frombuffer(digest, np.uint8).reshape(4, 8)).save(path, "PNG")

    plots.plot_curves = snapshot.plot_curves = plot_digest
    evaluation.make_extractor = lambda name, device: Pixels(device)
    evaluation.FEWEST, evaluation.SHARE = 16, 0.0
    between_ticks.Clock.lap = lambda self: 0.05
