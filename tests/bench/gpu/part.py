"""One part, in this process: `python -m tests.bench.gpu.part NAME DIR cuda|cpu`. Ends with 1 if a row says failed."""

import importlib
import sys
import warnings
from pathlib import Path

import torch

from stylegan_ada.ops.implementation import kernels

from .cases import CASES
from .rows import Rows

# the module of a part, which is imported for that part only as it may need what is missing, and its function
FUNCTIONS = {
    "info": ("info", "info"),
    "tests": ("device_tests", "tests"),
    "check": ("check", "check"),
    "generation": ("generation", "eager"),
    "graph": ("generation", "graph"),
    "operators": ("operators", "operators"),
    "host": ("operators", "host"),
    "compiled": ("operators", "compiled"),
}


def main(name: str, out: Path, device: torch.device) -> None:
    rows = Rows(out, name)
    warnings.simplefilter("always")
    torch.manual_seed(0)
    if device.type == "cpu":  # what is tiny gains nothing from more threads, and loses much beside other processes
        torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # as the command line has it, but in training
    if name in FUNCTIONS:
        module, function = FUNCTIONS[name]
        getattr(importlib.import_module(f".{module}", __package__), function)(rows, device)
    else:
        from .step import step

        step(CASES[name.removeprefix("step-")], rows, device)
    if kernels.failure is not None:
        rows.add("kernels", failed=kernels.failure)
    sys.exit(rows.failed)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), torch.device(sys.argv[3]))
