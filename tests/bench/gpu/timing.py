"""How long a call takes on a device."""

import statistics
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from stylegan_ada.ops import warm_up

from .rows import Rows

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
ROUNDS = 7


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def graph_seconds(function: Callable[[], object], calls: int = 3) -> float:
    """Median time of a call on the GPU, replayed from a CUDA graph of `calls` so that launches do not hide it.

    To be called on another stream than the default one, on which nothing can be captured; a backward pass runs on the
    stream of its forward pass."""
    warm_up(function)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        for _ in range(calls):
            function()
    laps = []
    for _ in range(ROUNDS + 1):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        laps.append(begin.elapsed_time(end) / 1000 / calls)
    return statistics.median(laps[1:])


def eager_seconds(function: Callable[[], object], device: torch.device, rounds: int = ROUNDS) -> float:
    """Median time from a call to its result, after a third as many calls that warm up."""
    laps = []
    for _ in range(rounds + rounds // 3):
        wait(device)
        start = time.perf_counter()
        function()
        wait(device)
        laps.append(time.perf_counter() - start)
    return statistics.median(laps[rounds // 3 :])


def device_seconds(function: Callable[[], object], device: torch.device) -> float:
    """Without launches on a GPU; on a CPU, where there is no graph, as it is called."""
    return graph_seconds(function) if device.type == "cuda" else eager_seconds(function, device)


def call_seconds(function: Callable[[], object], device: torch.device, calls: int = 200) -> float:
    """Median time until a call returns, while the device has next to nothing to do."""
    laps = []
    for _ in range(10):
        wait(device)
        start = time.perf_counter()
        for _ in range(calls):
            function()
        laps.append((time.perf_counter() - start) / calls)
    return statistics.median(laps[1:])


@contextmanager
def side_stream(device: torch.device) -> Iterator[None]:
    """Another stream than the default one, on which nothing can be captured."""
    if device.type == "cuda":
        with torch.cuda.stream(torch.cuda.Stream()):
            yield
    else:
        yield


@contextmanager
def attempt(rows: Rows, what: str) -> Iterator[None]:
    """An error within the block becomes a row, so that one figure's failure does not cost the next."""
    try:
        yield
    except Exception as error:
        traceback.print_exc()
        rows.add(what, failed=f"{type(error).__name__}: {error}".splitlines()[0][:200])
