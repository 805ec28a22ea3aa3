import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylegan_ada.cli import main
from stylegan_ada.cli.runs import STOPPING

# in fp32 on every machine, since some tests compare runs closely
SMALL = ["--size", "16", "--batch", "8", "--channel-base", "64", "--channel-max", "8", "--tick-kimg", "0.008"]
SMALL += ["--precision", "fp32", "--evaluate-kimg", "0"]


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Any]]:
    """Runs a command line in this process."""
    handlers = {number: signal.getsignal(number) for number in STOPPING}

    def run(*arguments: Path | int | str) -> Result:
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code or 0
        return Result(code, *capsys.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def fails(command: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a command line that must end with exit code 2 (a mistake) or 1 (a failure) and one line; gives the line."""

    def run(*arguments: Path | int | str, code: int = 2) -> str:
        result = command(*arguments)
        assert result.code == code, result
        lines = result.err.strip().splitlines()
        assert lines[-1].startswith("stylegan-ada: error: ")
        assert not any("Traceback" in line or "Usage:" in line for line in lines)
        return lines[-1]

    return run


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Any]:
    """Starts a command line. Its process is killed after two minutes, so that no test waits for ever, or at the end."""
    started = []

    def run(*line: Path | int | str, **more: Callable[..., Any] | dict[str, str] | int) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        options = {"env": {**environment, "PYTHONUNBUFFERED": "1"}, **pipes, **more}
        process = subprocess.Popen(list(map(str, line)), **options)
        timer = threading.Timer(120, process.kill)
        timer.start()
        started.append((process, timer))
        return process

    yield run
    for process, timer in started:
        timer.cancel()
        process.kill()
        with process:  # closes its pipes
            process.wait(timeout=120)


@pytest.fixture
def small() -> list[str]:
    """Options of a run that takes seconds."""
    return list(SMALL)


@pytest.fixture(scope="session")
def trained_run(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the image folder."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        main(["train", "--data", str(image_folder), "--out", str(folder), "--kimg", "0.064", *SMALL])
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return folder


@pytest.fixture(scope="session")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 images to test on, bright and dark."""
    folder = tmp_path_factory.mktemp("unseen")
    rng = np.random.default_rng(9)
    for index in range(30):
        name = ("bright", "dark")[index % 2]
        (folder / name).mkdir(exist_ok=True)
        pixels = rng.integers(0, 128, (16, 16)) + (128 if name == "bright" else 0)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def pixels_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TorchScript network whose 16 features are means of pixels: a distance that costs nothing."""

    class Pixels(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.nn.functional.adaptive_avg_pool2d(x[:, :1], 4).flatten(1)

    path = tmp_path_factory.mktemp("distance") / "pixels.pt"
    with pytest.warns(DeprecationWarning, match=r"torch\.jit"):  # what the files of users are made by
        torch.jit.trace(Pixels(), torch.zeros(2, 3, 224, 224)).save(str(path))
    return path


@pytest.fixture
def quick(pixels_file: Path) -> list[Any]:
    return ["--distance", pixels_file, "--steps", 3, "--candidates", 3, "--device", "cpu"]


@pytest.fixture
def few(image_folder: Path, tmp_path: Path) -> Path:
    """Three images of each class, of which one of each has the same name."""
    for name, files in (("bright", ("00", "02", "04")), ("dark", ("01", "03", "05"))):
        (tmp_path / "few" / name).mkdir(parents=True)
        for file in files:
            shutil.copy(image_folder / name / f"{file}.png", tmp_path / "few" / name)
    shutil.copy(tmp_path / "few/dark/05.png", tmp_path / "few/dark/04.png")
    os.remove(tmp_path / "few/dark/05.png")
    return tmp_path / "few"
