"""FID and KID along a training run: trains to each point in turn, measures there, and appends a JSON row.

    python -m tests.bench.fid_curve --out docs/data/fid.jsonl --run runs/fid --points 20,40,60,80,100 -- \
        --data sample:elpv --preset demo --seed 0

Started again, it goes on where it was. `python -m tests.bench.fid_table FILE` makes the table in docs of such rows.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from stylegan_ada.training import RunFolder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="rows are appended to this file")
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument("--points", required=True, help="thousands of images at which to measure: 20,40")
    parser.add_argument("train", nargs="*", help="options of `stylegan-ada train`")
    arguments = parser.parse_args()
    done = [json.loads(line) for line in arguments.out.read_text().splitlines()] if arguments.out.exists() else []
    command = " ".join(arguments.train)
    source = arguments.train[arguments.train.index("--data") + 1]  # all of it, whatever part is trained on
    seed = int(arguments.train[arguments.train.index("--seed") + 1])
    for kimg in map(float, arguments.points.split(",")):
        if any(row["kimg"] == kimg and row["command"] == command for row in done):
            continue
        program("train", *arguments.train, "--out", str(arguments.run), "--kimg", str(kimg))
        generator = arguments.run / f"generator-{kimg:g}.safetensors"  # kept for figures by other features later
        shutil.copy(RunFolder(arguments.run).generator_file, generator)
        start = time.perf_counter()
        what = ("--data", source, "--metrics", "fid,kid", "--json")
        figures = json.loads(program("evaluate", str(generator), *what, capture=True))
        log = RunFolder(arguments.run).read_log()
        row = {
            "commit": commit(),
            "command": command,
            "seed": seed,
            "kimg": kimg,
            "seconds": round(training_seconds(arguments.run)),
            "evaluation_seconds": round(time.perf_counter() - start),
            "fid": round(figures["fid"]["value"], 2),
            "kid": round(figures["kid"]["value"], 5),
            **mean_signals(log, kimg),
            "count": figures["fid"]["n_fake"],
        }
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        with arguments.out.open("a") as file:
            file.write(json.dumps(row) + "\n")


def program(*arguments: str, capture: bool = False) -> str:
    """Runs stylegan-ada; returns its output if captured."""
    done = subprocess.run(
        [sys.executable, "-m", "stylegan_ada", *arguments],
        check=True,
        text=True,
        stdout=subprocess.PIPE if capture else None,
    )
    return done.stdout or ""


def mean_signals(log: list[dict], kimg: float, over: float = 5.0) -> dict[str, float]:
    """p, r_t and, with --holdout, r_v, averaged over the last thousands of images."""
    rows = [row for row in log if row["kimg"] > kimg - over]
    names = [name for name in ("p", "r_t", "r_v") if name in rows[-1]]
    return {name: round(sum(row[name] for row in rows) / len(rows), 4) for name in names}


def training_seconds(run: Path) -> float:
    """All the time spent in steps so far, from the run's log."""
    rows = RunFolder(run).read_log()
    seen = [0.0, *(row["kimg"] for row in rows)]
    return sum(row["sec_per_kimg"] * (row["kimg"] - before) for row, before in zip(rows, seen, strict=False))


def commit() -> str:
    """The commit, with a mark where the tree differs from it."""
    return subprocess.run(
        ["git", "describe", "--always", "--dirty"], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
