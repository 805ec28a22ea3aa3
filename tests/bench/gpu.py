"""Checks the CUDA kernels on this machine's GPU and measures ops, training and generation, within 10 minutes.

    python -m tests.bench.gpu --out FILE.json [--parts tests,check,host,shapes,ops,training,generation]

Needs neither kornia nor the sample data; the package installed (`pip install --no-deps --no-build-isolation -e .` will
do with torch, numpy, pillow, click, safetensors, cuda-core). Writes FILE.json and, beside it, FILE.md with the tables
for docs/benchmarks.md. A part that fails is noted with its error, and the others go on. Ends with 1 if a
check or a test fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylegan_ada.config import NetworkConfig
from stylegan_ada.networks import Generator
from stylegan_ada.ops.implementation import kernels

from .gpu_ops import check, host, ops, passes, shapes
from .gpu_tables import markdown
from .gpu_timing import DTYPES, attempt, eager_seconds, seconds
from .gpu_training import train_all


def tests() -> str:
    """The ops' own tests on the GPU; the last lines of what pytest says."""
    # in one process, and without the plugin that makes two: this machine may lack it
    options = ["-o", "addopts=--import-mode=importlib --strict-markers"]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", *options, "tests/ops"]
    done = subprocess.run(command, capture_output=True, text=True)
    tail = (done.stdout + done.stderr).strip().splitlines()[-40:]
    return "\n".join(tail if done.returncode else tail[-1:])


def generation() -> list[dict]:
    """256x256, random weights: latency of one image, eager and from a CUDA graph; images per second of 32."""
    rows = []
    config = NetworkConfig(channels=3, height=256, width=256)
    for precision, dtype in DTYPES.items():
        generator = Generator(replace(config, precision=precision)).eval().requires_grad_(False).cuda()
        generator.synthesis.compute_in(None if dtype == torch.float32 else dtype)
        noise = generator.synthesis.noise_constant[None]
        empty = torch.empty(1, 0, device="cuda")

        def image(count: int, generator: Any = generator, noise: Tensor = noise, empty: Tensor = empty) -> Callable:
            z = torch.randn(count, 512, device="cuda")

            def run() -> None:
                with torch.no_grad():
                    generator(z, empty.expand(count, 0), noise)

            return run

        rows.append(
            {
                "precision": precision,
                "eager_ms": attempt(lambda image=image: eager_seconds(image(1)) * 1000),
                "graph_ms": attempt(lambda image=image: seconds(image(1)) * 1000),
                "images_per_s": attempt(lambda image=image: 32 / seconds(image(32))),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", default="tests,check,host,shapes,ops,generation,training")
    arguments = parser.parse_args()
    warnings.simplefilter("always")
    os.environ.setdefault("STYLEGAN_ADA_CACHE", tempfile.mkdtemp())
    start = time.perf_counter()
    report: dict = {"device": torch.cuda.get_device_name(), "torch": torch.__version__}

    def save() -> None:
        report["seconds"] = time.perf_counter() - start
        report["kernels"] = kernels.failure or "in use"
        arguments.out.write_text(json.dumps(report, indent=1) + "\n")
        arguments.out.with_suffix(".md").write_text(markdown(report))

    def keep(part: str) -> Callable[[list[dict]], None]:
        def keep_rows(rows: list[dict]) -> None:
            report[part] = rows
            save()

        return keep_rows

    whole = {"tests": tests, "check": check, "host": host, "generation": generation}
    by_rows = {"ops": ops, "shapes": shapes}

    def measure(part: str) -> None:
        if part == "training":
            train_all(report, save)
        else:
            report[part] = attempt(whole.get(part) or (lambda: by_rows[part](keep(part))))
        save()

    torch.backends.cudnn.allow_tf32 = False  # as the command line has it, but in training
    with torch.cuda.stream(torch.cuda.Stream()):
        for part in arguments.parts.split(","):
            measure(part)
    print(arguments.out.with_suffix(".md").read_text())
    checks = report.get("check", [])
    failed = [checks] if isinstance(checks, str) else [row for row in checks if not passes(row)]
    for row in failed:
        print(f"FAILED: {row}")
    tested = report.get("tests", "passed")
    print(f"{tested}\n{len(checks)} checks, {len(failed)} failed; kernels: {report['kernels']}")
    sys.exit(1 if failed or kernels.failure or "passed" not in tested or "failed" in tested else 0)


if __name__ == "__main__":
    main()
