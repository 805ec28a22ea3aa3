"""Training at its usual sizes, for tests/bench/gpu.py: how long it takes, and what it spends that on."""

import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
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
from stylegan_ada.ops.implementation import kernels
from stylegan_ada.training import RunFolder, Trainer

from .gpu_timing import DTYPES, attempt, reference_ops

TRAININGS = (  # side, batch, channel base
    (64, 32, 16384),
    (128, 32, 16384),
    (256, 16, 16384),
    (512, 8, 32768),
)


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


@contextmanager
def as_trained() -> Iterator[Any]:
    """Convolutions as `stylegan-ada train` has them, within the block."""
    backend = torch.backends.cudnn
    before = backend.benchmark, backend.allow_tf32
    tune_convolutions()
    yield
    backend.benchmark, backend.allow_tf32 = before


@contextmanager
def channels_last_layout() -> Iterator[Any]:
    """Half precision in channels-last, too, within the block; `ops/layout.py` keeps contiguous tensors on a GPU."""

    def channels_last(x: Tensor) -> Tensor:
        return x.contiguous(memory_format=torch.channels_last) if x.element_size() == 2 else x

    with ExitStack() as patches:
        for name in ("conv2d_resample", "convolution"):
            module = importlib.import_module(f"stylegan_ada.ops.{name}")
            patches.enter_context(patch.object(module, "fast_layout", channels_last))
        yield


def make_trainer(side: int, batch: int, channel_base: int, precision: str) -> Trainer:
    images = np.random.default_rng(0).integers(0, 256, (256, 3, side, side), dtype=np.uint8)
    network = NetworkConfig(channels=3, height=side, width=side, channel_base=channel_base, precision=precision)
    config = RunConfig(
        data=DataConfig(data="noise"),
        network=network,
        augment=AugmentConfig(ada_p=0.2),
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
