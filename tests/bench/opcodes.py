"""Loads and stores in the machine code of the filter between an up- or down-convolution and its 3x3 weights.

    python -m tests.bench.opcodes

For each width of its rows, before and after, and each dtype: how many pixels a thread makes, how often it reads and
writes, bytes per instruction, and how many lines of 128 bytes a warp touches for 32 pixels; counted in the code for
sm_90, in which all loops are unrolled. Needs cuda-core, NVRTC and `pip install nvidia-cuda-nvdisasm`, no GPU.
"""

import argparse
import re
import subprocess
import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import patch

import torch

from stylegan_ada.ops import nvrtc, setup_filter, upfirdn2d
from stylegan_ada.ops.implementation import Kernels

HEIGHT = 64  # the code does not depend on it
PASSES = {  # width before and after, and the padding of a 4x4 filter between them
    "after up-convolution, odd rows": (257, 256, (1, 1)),
    "after up-convolution, even rows": (258, 256, (1, 0)),
    "before down-convolution, odd rows": (256, 257, (2, 2)),
    "before down-convolution, even rows": (256, 258, (2, 3)),
}
BYTES = {"U8": 1, "U16": 2, "": 4, "64": 8, "128": 16}


def asked_for(dtype: torch.dtype, before: int, padding: tuple[int, int]) -> nvrtc.Kernel:
    """The kernel that the package chooses."""
    kernels: list[nvrtc.Kernel] = []
    with (
        patch.object(Kernels, "serve", lambda self, x: True),
        patch.object(nvrtc, "launch", lambda kernel, *_: kernels.append(kernel)),
    ):
        x = torch.zeros(1, 1, HEIGHT, before, dtype=dtype)
        upfirdn2d(x, setup_filter([1, 3, 3, 1]), padding=(*padding, 1, 1))
    return kernels[0]


def opcodes(kernel: nvrtc.Kernel) -> Counter:
    """("LDG" or "STG", bytes): how often; without the 16 loads of the filter."""
    package = find_spec("nvidia.cu13")
    assert package is not None
    assert package.submodule_search_locations is not None
    program = Path(next(iter(package.submodule_search_locations))) / "bin" / "nvdisasm"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(nvrtc.compile_kernel(kernel, "sm_90").code)
        file.flush()
        text = subprocess.run([program, "-c", file.name], capture_output=True, text=True, check=True).stdout
    found: Counter = Counter()
    for name, modifiers in re.findall(r"\b(LDG|STG)((?:\.\w+)*) ", text):
        width = next((part for part in modifiers.split(".") if part in BYTES and part), "")
        found[name, BYTES[width]] += 1
    found["LDG", 4] -= 16
    return +found


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(
        "| filter | dtype | pixels of a thread | reads x bytes | writes x bytes | bytes per read | per write |", end=""
    )
    print(" lines per 32 pixels |\n|---|---|---:|---|---|---:|---:|---:|")
    for name, (before, after, padding) in PASSES.items():
        assert before + sum(padding) - 3 == after
        for dtype in (torch.bfloat16, torch.float32):
            kernel = asked_for(dtype, before, padding)
            constants, found = dict(kernel.constants), opcodes(kernel)
            pixels = f"{constants['PATCH_Y']}x{constants['PATCH_X']}"
            cells, means, touched = [], [], 0.0
            apart = constants["PATCH_X"] * dtype.itemsize  # bytes from lane to lane
            for opcode in ("LDG", "STG"):
                counts = {size: count for (code, size), count in sorted(found.items()) if code == opcode}
                cells.append(", ".join(f"{count} x {size}" for size, count in counts.items()))
                touched += sum(counts.values()) * max(apart * 32 / 128, 1)
                means.append(f"{sum(size * count for size, count in counts.items()) / sum(counts.values()):.1f}")
            lines = touched / constants["PATCH_Y"] / constants["PATCH_X"]
            print(
                f"| {name} | {str(dtype).removeprefix('torch.')} | {pixels} | "
                + " | ".join([*cells, *means, f"{lines:.1f}"])
                + " |"
            )


if __name__ == "__main__":
    main()
