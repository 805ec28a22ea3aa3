"""What an operation costs the CPU that launches its kernels, by a driver that does nothing.

    python -m tests.bench.host

Prints microseconds of bias_act and upfirdn2d, alone and with their backward passes, medians of 9 rounds of 200 calls.
Needs g++ and cuda-core and no GPU: tests/ops/driver_stub.cpp stands in for CUDA's driver.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stylegan_ada.ops import bias_act, implementation, setup_filter, upfirdn2d

from ..ops.driver_stub import StubbedGpu, load_driver

ROUNDS, CALLS = 9, 200


def microseconds(call: Callable[[], object]) -> float:
    laps = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        laps.append((time.perf_counter() - start) / CALLS * 1e6)
    return statistics.median(laps[1:])


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    x, b = torch.zeros(1, 8, 4, 4, requires_grad=True), torch.zeros(8, requires_grad=True)
    f = setup_filter([1, 3, 3, 1])
    calls: dict[str, Callable[[], Tensor]] = {
        "bias_act lrelu": lambda: bias_act(x, b, act="lrelu"),
        "upfirdn2d": lambda: upfirdn2d(x, f, padding=(2, 1, 2, 1)),
    }
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEGAN_ADA_CACHE", folder)
        gpu = StubbedGpu(load_driver(Path(folder)), None, patch)
        gpu.computes = False
        for name, call in calls.items():
            g = torch.zeros_like(call())
            forward = microseconds(call)
            both = microseconds(lambda call=call, g=g: torch.autograd.grad(call(), x, g))
            if implementation.kernels.failure is not None:  # these were times of something else
                raise SystemExit(f"the kernels cannot be used: {implementation.kernels.failure}")
            print(f"{name:16} forward {forward:6.1f}  forward and backward {both:6.1f}")


if __name__ == "__main__":
    main()
