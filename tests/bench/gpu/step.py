"""A whole training step at the sizes in use: how long it takes, and what it spends that on."""

import importlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
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
from stylegan_ada.ops.implementation import ENVIRONMENT_VARIABLE
from stylegan_ada.training import RunFolder, Trainer

from ..plain_ops import plain_ops
from .cases import CPU_TIMED, PROFILED, Case
from .rows import Rows
from .timing import attempt, wait

ROUND = 16  # steps in which each phase is due as often as in any other 16


@contextmanager
def channels_last_layout() -> Iterator[None]:
    """Half precision in channels-last, too, within the block; `ops/layout.py` keeps contiguous tensors on a GPU."""

    def channels_last(x: Tensor) -> Tensor:
        return x.contiguous(memory_format=torch.channels_last) if x.element_size() == 2 else x

    with ExitStack() as patches:
        for name in ("conv2d_resample", "convolution"):
            module = importlib.import_module(f"stylegan_ada.ops.{name}")
            patches.enter_context(patch.object(module, "fast_layout", channels_last))
        yield


@contextmanager
def plain() -> Iterator[None]:
    """Plain torch operations under the networks, and under augmentation no kernels."""
    with plain_ops(), patch.dict(os.environ, {ENVIRONMENT_VARIABLE: "reference"}):
        yield


WAYS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "as it is": nullcontext,
    "channels last": channels_last_layout,
    "plain": plain,
}


def make_trainer(case: Case, device: torch.device) -> Trainer:
    side, channel_base, batch = (256, 16384, case.batch) if device.type == "cuda" else (16, 128, 4)
    images = np.random.default_rng(0).integers(0, 256, (256, 3, side, side), dtype=np.uint8)
    config = RunConfig(
        data=DataConfig(data="noise"),
        network=NetworkConfig(channels=3, height=side, width=side, channel_base=channel_base, precision=case.precision),
        augment=AugmentConfig(ada_p=0.2),
        training=TrainingConfig(kimg=1, batch=batch),
        classes=(),
        fingerprint="",
    )
    dataset = ImageDataset(images, None, (), tuple(map(str, range(len(images)))), (), "")
    return Trainer(config, dataset, RunFolder(Path("unused")), device, print)


def step(case: Case, rows: Rows, device: torch.device) -> None:
    """Warm-up of a round, two rounds of which each is a figure; CPU time and what the GPU does for one case each."""
    tune_convolutions()
    with WAYS[case.way]():
        start = time.perf_counter()
        trainer = make_trainer(case, device)
        run(trainer, device, 1)
        rows.value("from the start to the end of the first step", time.perf_counter() - start, "s")
        run(trainer, device, ROUND - 1)
        rows.value("warm-up, that first step included", time.perf_counter() - start, "s")
        for _ in range(2):
            images = trainer.config.training.batch * ROUND
            rows.value("training", run(trainer, device, ROUND) * 1000 / images, "s per thousand images", case=case)
        if not all(bool(parameter.isfinite().all()) for parameter in trainer.state.generator.parameters()):
            rows.add("training", failed="the generator's weights are not finite")
        if device.type == "cuda":
            rows.value("memory", torch.cuda.max_memory_allocated() / 2**30, "GiB")
        if case == CPU_TIMED:
            wait(device)
            start = time.perf_counter()
            for _ in range(ROUND):
                trainer.step()
            rows.value("CPU time of a step", (time.perf_counter() - start) / ROUND * 1000, "ms")
        if case == PROFILED:
            for what in ("step with all phases", "step with none but G and D"):
                with attempt(rows, what):
                    look_into(trainer, rows, what, device)


def run(trainer: Trainer, device: torch.device, steps: int) -> float:
    wait(device)
    start = time.perf_counter()
    for _ in range(steps):
        trainer.step()
    wait(device)
    return time.perf_counter() - start


def look_into(trainer: Trainer, rows: Rows, what: str, device: torch.device) -> None:
    """One step by the profiler: its launches, milliseconds by kind of kernel, and the ten longest kernels."""
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as profiler:
        run(trainer, device, 1)
    if device.type != "cuda":
        rows.add(what, left_out="kernels are looked at on CUDA only")
        return
    launches = 0
    kinds: dict[str, float] = defaultdict(float)
    names: dict[str, float] = defaultdict(float)
    for event in profiler.key_averages():
        if on_the_gpu(event):
            kinds[kind(event.key)] += event.self_device_time_total / 1000
            names[event.key[:90]] += event.self_device_time_total / 1000
            launches += event.count
    rows.value(f"{what}: GPU time", sum(kinds.values()), "ms")
    rows.value(f"{what}: launches", launches, longest=dict(sorted(names.items(), key=lambda item: -item[1])[:10]))
    for name, spent in sorted(kinds.items(), key=lambda item: -item[1]):
        rows.value(f"{what}: {name}", spent, "ms")


def on_the_gpu(event: Any) -> bool:
    is_kernel = event.device_type == torch.autograd.DeviceType.CUDA and not event.is_user_annotation
    return is_kernel and event.self_device_time_total > 0


KINDS = {  # the first whose word a kernel's name holds
    "upfirdn2d": ("upfirdn2d",),
    "bias_act": ("bias_act",),
    "convolution": ("conv", "xmma", "cudnn", "implicit", "wgrad", "dgrad", "fprop", "winograd"),
    "matrix product": ("gemm", "cutlass", "nvjet", "cublas"),
    "reduction": ("reduce",),
    "copy": ("memcpy", "memset"),
    "optimiser, moving average": ("adam", "multi_tensor"),
    "element by element": ("elementwise", "vectorized"),
}


def kind(name: str) -> str:
    lower = name.lower()
    return next((kind for kind, words in KINDS.items() if any(word in lower for word in words)), "other")
