"""A real run on a GPU within minutes: stopped, gone on with once, images generated, what it wrote kept.

    python -m tests.bench.gpu_run --data ZIP --minutes 3 --out DIR [--device cuda|cpu]

Trains at 128x128, mirrored, with the batch that `train` chooses, until SIGINT comes after two thirds of the time; the
same command goes on after that, until a second SIGINT. Then 64 images are generated. DIR gets what the commands
printed, the log, measurements, the curves, the last sheet of samples, and the images in a zip. Ends with 1 if
something is missing, which is named. On a CPU the images are 32x32 and the networks narrow, to try this script.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 16_000_000
TO_SAVE = 30  # seconds that a stopped run may take to write its checkpoint, and generating its images
STOPPED = 130  # the status of a command that SIGINT ended
GPU = "--size 128 --kimg 1000 --tick-kimg 2 --snapshot-kimg 16 --evaluate-kimg 48"
CPU = (
    "--size 32 --kimg 1000 --tick-kimg 0.1 --snapshot-kimg 0.2 --evaluate-kimg 0"
    " --channel-base 256 --channel-max 16 --batch 8"
)


def run(line: Sequence[str], log: Path, seconds: float, stop: bool) -> int | None:
    """The command's status, None if it had to be killed; what it prints is added to `log`.

    stop: SIGINT comes after so many seconds, as Ctrl-C would send it; otherwise the command has that long to end.
    """
    with log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, *line], stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    try:
        if stop:
            try:
                return process.wait(seconds)  # it ended before it was to be stopped
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
                seconds = TO_SAVE
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def images_in(log: Path) -> int:
    """How many images the run has seen, by the last row of its log; 0 without one."""
    rows = log.read_text().splitlines() if log.exists() else []
    return int(json.loads(rows[-1])["images"]) if rows else 0


def keep(files: Sequence[Path], out: Path) -> list[str]:
    """Copies the files; what is missing, in words."""
    missing = []
    for file in files:
        if not file.exists():
            missing.append(f"{file.name}: the run did not write it")
        elif file.stat().st_size > MOST_BYTES:
            missing.append(f"{file.name}: {file.stat().st_size / 1e6:.0f} MB, more than {MOST_BYTES / 1e6:.0f}")
        else:
            shutil.copy(file, out)
    return missing


def train_twice(line: Sequence[str], place: Path, out: Path, seconds: float) -> list[str]:
    """Trains, and goes on once, in `seconds` without saving; what went wrong, in words."""
    wrong, seen = [], 0
    for name, share in (("first", 0.75), ("gone on with", 0.25)):
        status = run(line, out / "train.txt", seconds * share, stop=True)
        before, seen = seen, images_in(place / "log.jsonl")
        print(f"training, {name}: {seen - before} images, ended with {status}", flush=True)
        if status != STOPPED:
            wrong.append(f"training, {name}: ended with {status}, not by SIGINT with {STOPPED}; see train.txt")
        if seen <= before:
            wrong.append(f"training, {name}: no images beyond {before}; see train.txt")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options = parser.parse_args()
    start = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    if any(options.out.iterdir()):
        parser.error(f"--out {options.out}: not empty, take a new folder")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an outer time limit leaves no process behind
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("STYLEGAN_ADA_CACHE", str(Path(folder) / "cache"))
        place, cells = Path(folder) / "run", Path(folder) / "images"
        more = (GPU if options.device == "cuda" else CPU).split()
        device = ["--device", options.device]
        line = [str(ROOT / "train.py"), "--data", options.data, "--mirror", "hv", "--out", str(place), *more, *device]
        # of the time, a part is for two savings and the images
        missing = train_twice(line, place, options.out, options.minutes * 60 * 0.8)
        line = [str(ROOT / "generate.py"), "images", str(place), "--out", str(cells), "--count", "64", *device]
        left = max(TO_SAVE, options.minutes * 60 - (time.monotonic() - start))
        status = run(line, options.out / "generate.txt", left, stop=False)
        if status != 0:
            missing.append(f"generating images: ended with {status}, see generate.txt")
        else:
            shutil.make_archive(str(Path(folder) / "images"), "zip", cells)
        sheets = sorted(place.glob("samples-*.png"))[-1:] or [place / "samples.png"]
        names = ["log.jsonl", "curves.png", *(["evaluations.jsonl"] if options.device == "cuda" else [])]
        missing += keep([*(place / name for name in names), *sheets, Path(folder) / "images.zip"], options.out)
    print("\n".join(["Missing:", *missing] if missing else ["Nothing is missing."]))
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
