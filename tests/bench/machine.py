"""What a figure was measured on."""

import os
import platform
from pathlib import Path

import torch


def describe() -> str:
    """Cores, processor, what its vector units have, torch's version."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    fields = dict(line.split(":", 1) for line in info.split("\n\n")[0].splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in fields.get("flags", "").split()]
    processor = fields.get("model name", platform.processor() or platform.machine())
    return f"{os.cpu_count()} cores, {processor} ({' '.join(flags)}), torch {torch.__version__}"
