"""One part, in this process: `python -m tests.bench.gpu.part NAME DIR cuda|cpu`. Ends with 1 if a row says failed."""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

from . import check, device_tests, generation, info, operators, step
from .rows import Rows

PARTS: dict[str, Callable[[Rows, torch.device], None]] = {
    "info": info.info,
    "tests": device_tests.tests,
    "check": check.check,
    "generation": generation.eager,
    "graph": generation.graph,
    "operators": operators.operators,
    "host": operators.host,
    "compiled": operators.compiled,
}


def main(name: str, out: Path, device: torch.device) -> None:
    rows = Rows(out, name)
    warnings.simplefilter("always")
    torch.manual_seed(0)
    if device.type == "cpu":  # what is tiny gains nothing from more threads, and loses much beside other processes
        torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # as the command line has it, but in training
    if name in PARTS:
        PARTS[name](rows, device)
    else:
        step.step(step.CASES[name.removeprefix("step-")], rows, device)
    if name != "info":  # which says it, too
        info.kernels_held(rows, device)
    sys.exit(rows.failed)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), torch.device(sys.argv[3]))
