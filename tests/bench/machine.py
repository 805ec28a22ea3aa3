"""What a figure was measured on, and in which process."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import torch


def describe() -> str:
    """Threads in use, processor, what its vector units have, torch's version."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    fields = dict(line.split(":", 1) for line in info.split("\n\n")[0].splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in fields.get("flags", "").split()]
    processor = fields.get("model name", platform.processor() or platform.machine())
    return f"{torch.get_num_threads()} threads, {processor} ({' '.join(flags)}), torch {torch.__version__}"


def run_apart(module: str, side: str, /, **options: object) -> dict:
    """The JSON that `python -m tests.bench.MODULE --only SIDE` prints: a process has its own memory and allocator."""
    command = [sys.executable, "-m", f"tests.bench.{module}", "--only", side]
    command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
