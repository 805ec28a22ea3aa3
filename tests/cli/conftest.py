import signal
from dataclasses import dataclass

import pytest

from stylegan_ada.cli import main

# in fp32 on every machine, since some tests compare runs closely
SMALL = ["--size", "16", "--batch", "8", "--channel-base", "64", "--channel-max", "8", "--tick-kimg", "0.008"]
SMALL += ["--precision", "fp32", "--evaluate-kimg", "0"]


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys):
    """Runs a command line in this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
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
def fails(command):
    """Runs a command line that must end with exit code 2 (a mistake) or 1 (a failure) and one line; gives the line."""

    def run(*arguments, code=2):
        result = command(*arguments)
        assert result.code == code, result
        lines = result.err.strip().splitlines()
        assert lines[-1].startswith("stylegan-ada: error: ")
        assert not any("Traceback" in line or "Usage:" in line for line in lines)
        return lines[-1]

    return run


@pytest.fixture
def small():
    """Options of a run that takes seconds."""
    return list(SMALL)


@pytest.fixture(scope="session")
def trained_run(image_folder, tmp_path_factory):
    """A finished run on the image folder."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        main(["train", "--data", str(image_folder), "--out", str(folder), "--kimg", "0.064", *SMALL])
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return folder
