"""Single operations, plain against the package's, forward and backward, on this machine's cores.

    python -m tests.bench.ops

Median milliseconds of each, in turn, in one process with freed memory kept, so that only the operations differ; fp32.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from stylegan_ada import ops
from stylegan_ada.devices import keep_freed_memory

from . import plain_ops
from .machine import describe

ROUNDS = 9
SIDES = {"plain": plain_ops, "package": ops}


def images(count: int, channels: int, side: int) -> Tensor:
    return torch.randn(count, channels, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()


def modulated(module: Any, count: int, channels: int, side: int) -> Callable[[], Tensor]:
    x, styles = images(count, channels, side), torch.randn(count, channels).requires_grad_()
    weight = torch.randn(channels, channels, 3, 3).requires_grad_()
    x = x if module is ops else x.detach().contiguous().requires_grad_()
    return lambda: module.modulated_conv2d(x, weight, styles, padding=1)


def resampled(module: Any, up: int, down: int, count: int, channels: int, side: int) -> Callable[[], Tensor]:
    x, f = images(count, channels, side), ops.setup_filter([1, 3, 3, 1])
    x = x if module is ops else x.detach().contiguous().requires_grad_()
    padding = (2, 1, 2, 1)
    return lambda: module.upfirdn2d(x, f, up=up, down=down, padding=padding)


def activated(module: Any, count: int, channels: int, side: int) -> Callable[[], Tensor]:
    x, b = images(count, channels, side), torch.randn(channels).requires_grad_()
    return lambda: module.bias_act(x, b, act="lrelu")


CASES = [
    ("modulated 3x3, 512 channels, 8x8, batch 8", modulated, (8, 512, 8)),
    ("modulated 3x3, 512 channels, 16x16, batch 8", modulated, (8, 512, 16)),
    ("modulated 3x3, 128 channels, 32x32, batch 32", modulated, (32, 128, 32)),
    ("modulated 3x3, 256 channels, 64x64, batch 8", modulated, (8, 256, 64)),
    ("FIR 4x4, 128 channels, 64x64, batch 8", resampled, (1, 1, 8, 128, 64)),
    ("FIR 4x4 down 2, 128 channels, 64x64, batch 8", resampled, (1, 2, 8, 128, 64)),
    ("FIR 4x4 up 2, 128 channels, 32x32, batch 8", resampled, (2, 1, 8, 128, 32)),
    ("bias and lrelu, 128 channels, 64x64, batch 8", activated, (8, 128, 64)),
]


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    keep_freed_memory()
    print(f"{describe()}\n")
    print("| operation | plain, ms | package, ms | ratio |\n|---|---:|---:|---:|")
    for name, make, arguments in CASES:
        calls = {side: make(module, *arguments) for side, module in SIDES.items()}
        laps: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(ROUNDS + 1):
            for side, call in calls.items():
                start = time.perf_counter()
                y = call()
                y.backward(torch.ones_like(y))
                laps[side].append(time.perf_counter() - start)
        plain, package = (statistics.median(laps[side][1:]) * 1000 for side in SIDES)
        print(f"| {name} | {plain:.1f} | {package:.1f} | {plain / package:.1f} |")


if __name__ == "__main__":
    main()
