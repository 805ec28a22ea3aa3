"""How tests/bench/gpu.py takes the time of what runs on a GPU, and goes on after a failure."""

import statistics
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch

from stylegan_ada.ops import warm_up
from stylegan_ada.ops.implementation import Kernels

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@contextmanager
def reference_ops() -> Iterator[Any]:
    """All ops in plain torch within the block."""
    with patch.object(Kernels, "serve", lambda self, x: False):
        yield


def seconds(function: Callable[[], object], rounds: int = 7, calls: int = 3) -> float:
    """Median time of a call on the GPU, replayed from a CUDA graph of `calls` so that launches do not hide it.

    To be called on another stream than the default one, on which nothing can be captured; a backward pass runs on the
    stream of its forward pass."""
    warm_up(function)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        for _ in range(calls):
            function()
    laps = []
    for _ in range(rounds + 1):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        laps.append(begin.elapsed_time(end) / 1000 / calls)
    return statistics.median(laps[1:])


def copy_seconds(moved: int) -> float:
    """Time of a copy on the device that reads and writes `moved` bytes in all."""
    source = torch.empty(moved // 2, dtype=torch.uint8, device="cuda").random_()
    target = torch.empty_like(source)
    return seconds(lambda: target.copy_(source))


def call_seconds(function: Callable[[], object], calls: int = 200) -> float:
    laps = []
    for _ in range(10):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            function()
        laps.append((time.perf_counter() - start) / calls)
    return statistics.median(laps[1:])


def eager_seconds(function: Callable[[], None]) -> float:
    laps = []
    for _ in range(30):
        torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        torch.cuda.synchronize()
        laps.append(time.perf_counter() - start)
    return statistics.median(laps[10:])


def attempt(function: Callable[[], Any]) -> Any:
    """What function returns, or a string that says how it failed."""
    try:
        return function()
    except Exception as error:  # one part of the bench that fails must not take the others' figures with it
        traceback.print_exc()
        torch.cuda.empty_cache()
        return f"{type(error).__name__}: {error}".splitlines()[0][:200]
