"""Checks the CUDA kernels on this machine's GPU and measures ops, training and generation, within 10 minutes.

    python -m tests.bench.gpu --out FILE.json [--parts tests,check,host,shapes,ops,training,generation]

Needs neither kornia nor the sample data; the package installed (`pip install --no-deps --no-build-isolation -e .` will
do with torch, numpy, pillow, click, safetensors, cuda-core). Writes FILE.json and, beside it, FILE.md with the tables
for docs/benchmarks.md. A part that fails is noted with its error, and the others go on. Ends with 1 if a
check or a test fails.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from stylegan_ada.config import AugmentConfig, DataConfig, NetworkConfig, RunConfig, TrainingConfig
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.devices import tune_convolutions
from stylegan_ada.networks import Generator
from stylegan_ada.ops import bias_act, setup_filter, upfirdn2d, warm_up
from stylegan_ada.ops.implementation import Kernels, kernels
from stylegan_ada.training import RunFolder, Trainer

from .gpu_tables import markdown

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
LEAST_BYTES = 256 * 2**20
TOLERANCES = {"fp32": 1e-5, "bf16": 2e-2, "fp16": 3e-3}
TRAININGS = (  # side, batch, channel base
    (64, 32, 16384),
    (128, 32, 16384),
    (256, 16, 16384),
    (512, 8, 32768),
)
TAPS4, TAPS12 = setup_filter([1, 3, 3, 1]), setup_filter([1, 2, 4, 7, 9, 10, 10, 9, 7, 4, 2, 1])
FIRS: dict[str, tuple[Tensor, dict[str, Any]]] = {
    "filter 4x4": (TAPS4, {"padding": (2, 1, 2, 1)}),
    "up 2 by 4x4": (TAPS4, {"up": 2, "padding": (2, 1, 2, 1), "gain": 4}),
    "down 2 by 4x4": (TAPS4, {"down": 2, "padding": 1}),
    "up 2 by 12 taps, each axis": (TAPS12, {"up": 2, "padding": (6, 5, 6, 5), "gain": 4}),
    "down 2 by 12 taps, each axis": (TAPS12, {"down": 2, "padding": 5}),
}


@contextmanager
def reference_ops():
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


def attempt(function: Callable[[], Any]) -> Any:
    """What function returns, or a string that says how it failed."""
    try:
        return function()
    except Exception as error:
        traceback.print_exc()
        torch.cuda.empty_cache()
        return f"{type(error).__name__}: {error}".splitlines()[0][:200]


@contextmanager
def as_trained():
    """Convolutions as `stylegan-ada train` has them, within the block."""
    backend = torch.backends.cudnn
    before = backend.benchmark, backend.allow_tf32
    tune_convolutions()
    yield
    backend.benchmark, backend.allow_tf32 = before


@contextmanager
def channels_last_layout():
    """Half precision in channels-last, too, within the block; `ops/layout.py` keeps contiguous tensors on a GPU."""

    def channels_last(x: Tensor) -> Tensor:
        return x.contiguous(memory_format=torch.channels_last) if x.element_size() == 2 else x

    with ExitStack() as patches:
        for name in ("conv2d_resample", "convolution"):
            module = importlib.import_module(f"stylegan_ada.ops.{name}")
            patches.enter_context(patch.object(module, "fast_layout", channels_last))
        yield


def tests() -> str:
    """The ops' own tests on the GPU; the last lines of what pytest says."""
    # in one process, and without the plugin that makes two: this machine may lack it
    options = ["-o", "addopts=--import-mode=importlib --strict-markers"]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", *options, "tests/ops"]
    done = subprocess.run(command, capture_output=True, text=True)
    tail = (done.stdout + done.stderr).strip().splitlines()[-40:]
    return "\n".join(tail if done.returncode else tail[-1:])


def host() -> list[dict]:
    """Microseconds of the CPU per operation: what a call takes until it returns, with a GPU that has nothing to do."""
    x, b = torch.zeros(1, 8, 4, 4, device="cuda", requires_grad=True), torch.zeros(8, device="cuda")
    f = TAPS4.cuda()
    calls = {
        "bias_act": lambda: bias_act(x, b, act="lrelu"),
        "upfirdn2d": lambda: upfirdn2d(x, f, padding=(2, 1, 2, 1)),
    }
    rows = []
    for name, call in calls.items():
        g = torch.zeros_like(call())
        both = call_seconds(lambda call=call, g=g: torch.autograd.grad(call(), x, g))
        rows.append({"op": name, "forward_us": call_seconds(call) * 1e6, "both_us": both * 1e6})
    return rows


def call_seconds(function: Callable[[], object], calls: int = 200) -> float:
    laps = []
    for _ in range(10):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            function()
        laps.append((time.perf_counter() - start) / calls)
    return statistics.median(laps[1:])


def shapes(save: Callable[[list[dict]], None]) -> list[dict]:
    """The filters after the networks' up-convolutions at their real shapes, rows odd and even, with gradients."""
    rows: list[dict] = []
    f = TAPS4.cuda()
    for channels, side in ((512, 64), (256, 128), (128, 256), (64, 256)):
        for batch in (1, 16):
            for dtype_name in ("bf16", "fp32"):
                for width, padding in ((side + 1, (1, 1, 1, 1)), (side + 2, (1, 0, 1, 1))):
                    x = torch.randn(batch, channels, side + 1, width, device="cuda").to(DTYPES[dtype_name])
                    row = {"shape": list(x.shape), "dtype": dtype_name}
                    figures = attempt(
                        lambda x=x, p=padding: measure_op(lambda x: upfirdn2d(x, f, padding=p), x, 2, False)
                    )
                    rows.append(row | (figures if isinstance(figures, dict) else {"failure": figures}))
                    save(rows)
    return rows


def check() -> list[dict]:
    """Largest error of forward and gradient against float64 on the CPU, relative to the largest magnitude."""
    rows = []
    for layout_name, layout in LAYOUTS.items():
        for dtype_name, dtype in DTYPES.items():
            x = torch.randn(3, 16, 20, 24).to(dtype).to(memory_format=layout)
            b, g = torch.randn(16).to(dtype), torch.randn(3, 16, 20, 24).to(dtype)
            calls: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
                f"bias_act {act}": lambda x, b, act=act: bias_act(x, b, act=act) for act in ("linear", "lrelu", "swish")
            }
            for name, (f, arguments) in FIRS.items():
                calls[name] = lambda x, b, f=f, arguments=arguments: upfirdn2d(x, f.to(x.device), **arguments)
            for name, call in calls.items():
                row = {"op": name, "dtype": dtype_name, "layout": layout_name}
                rows.append(row | {"error": attempt(lambda call=call, x=x, b=b, g=g: compare(call, x, b, g))})
    return rows


def compare(call: Callable[[Tensor, Tensor], Tensor], x: Tensor, b: Tensor, g: Tensor) -> float:
    def both(x: Tensor, b: Tensor) -> list[Tensor]:
        x = x.detach().requires_grad_()
        y = call(x, b)
        seed = g.to(y.device, y.dtype).repeat(1, 1, 2, 2)[:, :, : y.shape[2], : y.shape[3]]
        return [y, *torch.autograd.grad(y, x, seed)]

    found, expected = both(x.cuda(), b.cuda()), both(x.double(), b.double())
    return max(float((a.double().cpu() - e).abs().max() / e.abs().max()) for a, e in zip(found, expected, strict=True))


def ops(save: Callable[[list[dict]], None]) -> list[dict]:
    """Each op, dtype and layout; save is called with the rows so far. A separable filter is two kernels, whose bytes in
    between are not counted: it can reach little more than half of a copy's speed."""
    rows: list[dict] = []
    for dtype_name, dtype in DTYPES.items():
        for layout_name, layout in LAYOUTS.items():
            shape = [LEAST_BYTES // (128 * 256 * 256 * dtype.itemsize), 128, 256, 256]
            x = torch.randn(shape, device="cuda").to(dtype).to(memory_format=layout)
            b = torch.randn(128, device="cuda").to(dtype)
            calls: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
                f"bias_act {act}": (lambda x, b=b, act=act: bias_act(x, b, act=act), 3) for act in ("lrelu", "swish")
            }
            for name, (f, arguments) in FIRS.items():
                f = f.cuda()
                calls[name] = (lambda x, f=f, arguments=arguments: upfirdn2d(x, f, **arguments), 2)
            compiled = (dtype_name, layout_name) == ("fp32", "channels first")  # each takes seconds
            for name, (call, tensors) in calls.items():
                row = {"op": name, "dtype": dtype_name, "layout": layout_name}
                figures = attempt(lambda call=call, n=tensors, x=x, c=compiled: measure_op(call, x, n, c))
                rows.append(row | (figures if isinstance(figures, dict) else {"failure": figures}))
                save(rows)
                torch.cuda.empty_cache()
    return rows


def measure_op(call: Callable[[Tensor], Tensor], x: Tensor, backward_tensors: int, compiled_too: bool) -> dict:
    """Milliseconds, and the copy's speed reached, both ways (backward_tensors: what backward moves, at least)."""
    x = x.detach().requires_grad_()
    y = call(x)
    g = torch.randn_like(y)
    forward_bytes = (x.numel() + y.numel()) * x.element_size()
    backward_bytes = forward_bytes + (backward_tensors - 2) * y.numel() * x.element_size()

    def forward() -> None:
        with torch.no_grad():
            call(x)

    def backward() -> None:
        torch.autograd.grad(y, x, g, retain_graph=True)

    row: dict = {"MB": forward_bytes / 1e6}
    copies = {"forward": copy_seconds(forward_bytes), "backward": copy_seconds(backward_bytes)}
    for name, function in (("forward", forward), ("backward", backward)):
        time_taken = seconds(function)
        row[name] = {"ms": time_taken * 1000, "of_copy": copies[name] / time_taken}
    with reference_ops():
        y = call(x)  # backward() differentiates this one from here on
        row["reference_ms"] = attempt(lambda: seconds(forward) * 1000)
        row["reference_backward_ms"] = attempt(lambda: seconds(backward) * 1000)
        if compiled_too:
            torch._dynamo.reset()  # all calls share their code, of which few variants would be compiled
            compiled = torch.compile(call, dynamic=False)

            def run_compiled() -> None:
                with torch.no_grad():
                    compiled(x)

            row["compiled_ms"] = attempt(lambda: seconds(run_compiled) * 1000)
    return row


def make_trainer(side: int, batch: int, channel_base: int, precision: str) -> Trainer:
    images = np.random.default_rng(0).integers(0, 256, (256, 3, side, side), dtype=np.uint8)
    network = NetworkConfig(channels=3, height=side, width=side, channel_base=channel_base, precision=precision)
    config = RunConfig(
        data=DataConfig(source="noise"),
        network=network,
        augment=AugmentConfig(p=0.2),
        training=TrainingConfig(kimg=1, batch=batch),
        classes=(),
        fingerprint="",
    )
    dataset = ImageDataset(images, None, (), tuple(map(str, range(len(images)))), (), "")
    return Trainer(config, dataset, RunFolder(Path("unused")), torch.device("cuda"), print)


def training(side: int, batch: int, channel_base: int, precision: str, way: str) -> dict:
    """Seconds per thousand images over 32 steps (two rounds of all phases) after 17, GiB, and parts of 16 steps.

    cpu_ms: until all of a step's work is handed over; gpu_ms: sum of its kernels; launches: their number. way: kernels,
    plain (torch alone), or channels last."""
    ways = {"kernels": nullcontext, "plain": reference_ops, "channels last": channels_last_layout}
    with as_trained(), ways[way]():
        trainer = make_trainer(side, batch, channel_base, precision)
        torch.cuda.reset_peak_memory_stats()
        for _ in range(17):
            trainer.step()
        laps = []
        for _ in range(2):
            torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(16):
                trainer.step()
            torch.cuda.synchronize()
            laps.append((time.perf_counter() - start) / 16 * 1000 / batch)
        row = {"sec_per_kimg": laps, "peak_gib": torch.cuda.max_memory_allocated() / 2**30}
        start = time.perf_counter()
        for _ in range(16):
            trainer.step()
        row["cpu_ms"] = (time.perf_counter() - start) / 16 * 1000
        torch.cuda.synchronize()
        if way != "plain":
            with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as profiler:
                for _ in range(16):
                    trainer.step()
                torch.cuda.synchronize()
            row |= parts(profiler, batch)
    return row


def parts(profiler: Any, batch: int) -> dict:
    """GPU seconds per thousand images by kind of kernel, and the ten longest kernels."""
    launches = 0
    kinds: dict[str, float] = defaultdict(float)
    names: dict[str, float] = defaultdict(float)
    for event in profiler.key_averages():
        spent = event.self_device_time_total / 1e6 / 16 * 1000 / batch
        if spent > 0 and event.device_type == torch.autograd.DeviceType.CUDA and not event.is_user_annotation:
            kinds[kind(event.key)] += spent
            names[event.key[:90]] += spent
            launches += event.count
    longest = dict(sorted(names.items(), key=lambda item: -item[1])[:10])
    ordered = dict(sorted(kinds.items(), key=lambda item: -item[1]))
    gpu_ms = sum(kinds.values()) * batch
    return {"parts": ordered, "longest": longest, "gpu_ms": gpu_ms, "launches": launches / 16}


def kind(name: str) -> str:
    lower = name.lower()
    for word in ("upfirdn2d", "bias_act"):
        if word in lower:
            return word
    if any(word in lower for word in ("conv", "xmma", "cudnn", "implicit", "wgrad", "dgrad", "fprop", "winograd")):
        return "convolution"
    if any(word in lower for word in ("gemm", "cutlass", "nvjet", "cublas")):
        return "matrix product"
    if "reduce" in lower:
        return "reduction"
    if "memcpy" in lower or "memset" in lower:
        return "copy"
    if "adam" in lower or "multi_tensor" in lower:
        return "optimiser, EMA"
    if "elementwise" in lower or "vectorized" in lower:
        return "element by element"
    return "other"


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


def eager_seconds(function: Callable[[], None]) -> float:
    laps = []
    for _ in range(30):
        torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        torch.cuda.synchronize()
        laps.append(time.perf_counter() - start)
    return statistics.median(laps[10:])


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


def passes(row: dict) -> bool:
    return isinstance(row["error"], float) and row["error"] <= TOLERANCES[row["dtype"]]


def train_all(report: dict, save: Callable[[], None]) -> None:
    report["training"] = []
    for side, batch, channel_base in TRAININGS:
        for precision in DTYPES:
            for way in ("kernels", "plain", "channels last") if (side, precision) == (256, "bf16") else ("kernels",):
                case = (side, batch, channel_base, precision, way)
                result = attempt(lambda case=case: training(*case))
                row = {"side": side, "batch": batch, "precision": precision}
                row["ops"] = f"{way}: kernels failed" if kernels.failure else way
                report["training"].append(row | {"result": result})
                save()
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
