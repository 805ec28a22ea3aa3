"""Runs the CUDA kernels' source on the CPU: compiled by g++, with what the launcher would hand to cuda-core."""

import ctypes
import functools
import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from stylegan_ada.ops import nvrtc

HEADER = Path(__file__).with_name("cuda_on_host.h")


class HostLauncher:
    """Stands in for nvrtc.launch. kernels: all that were launched, in order. last_blocks: run these only, if not 0."""

    last_blocks = 0

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernels: list[nvrtc.Kernel] = []

    def __call__(
        self, kernel: nvrtc.Kernel, threads: int, arguments: Sequence[nvrtc.Argument], device: torch.device
    ) -> None:
        self.kernels.append(kernel)
        numbers = [ctypes.c_void_p(x.data_ptr()) if isinstance(x, Tensor) else x for x in arguments]
        pointers = (ctypes.c_void_p * len(numbers))(*(ctypes.addressof(x) for x in numbers))
        sizes = (ctypes.c_int * len(numbers))(*(ctypes.sizeof(x) for x in numbers))
        grid = kernel.blocks(threads)
        first = max(grid - self.last_blocks, 0) if self.last_blocks else 0
        result = self.build(kernel)(pointers, sizes, len(numbers), first, grid, kernel.block)
        assert result == 0, f"{kernel.name} takes other arguments than it was given: {result}"

    @functools.cache  # noqa: B019  it lives as long as the test session
    def build(self, kernel: nvrtc.Kernel) -> "ctypes._FuncPointer":
        source = f"""#include "{HEADER}"
{kernel.body}
extern "C" int run(void** arguments, const int* sizes, int count, unsigned first, unsigned grid,
                   unsigned block) {{
    return run_on_host({kernel.name}, arguments, sizes, count, first, grid, block);
}}
"""
        name = hashlib.sha256(source.encode()).hexdigest()[:16]
        file, library = self.folder / f"{name}.cpp", self.folder / f"{name}.so"
        file.write_text(source)
        # a GPU refuses what x86 does all the same: a pack that lies askew ends the process here, too
        strict = ["-fsanitize=alignment,signed-integer-overflow", "-fsanitize-undefined-trap-on-error"]
        command = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", "-Wno-unknown-pragmas", *strict]
        command += [str(file), "-o", str(library)]
        subprocess.run(command, check=True, timeout=300)
        return ctypes.CDLL(str(library)).run
