"""Seconds per image of the network as it is, compiled by torch, and as an ONNX file in onnxruntime, on this CPU.

    python -m tests.bench.export [--side 256] [--repeats 2] [--rounds 5]

The sides run in turn, each in processes of its own, with as many threads. An unlabelled RGB network of channel base
16384, at most 512 channels, with the weights of its start, and constant noise.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from stylegan_ada.checkpoint import GeneratorInfo
from stylegan_ada.config import NetworkConfig
from stylegan_ada.devices import keep_freed_memory
from stylegan_ada.export import ExportedPart, export_onnx
from stylegan_ada.networks import Generator

from .machine import describe, run_apart

BATCHES = (1, 16)
SIDES = ("eager", "compiled", "onnx")


def runner(side: str, part: ExportedPart, file: Path) -> Callable[[dict[str, torch.Tensor]], object]:
    if side == "eager":
        return lambda inputs: part(**inputs)
    if side == "compiled":
        compiled = torch.compile(part)
        return lambda inputs: compiled(**inputs)
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})


def make_part(pixels: int) -> ExportedPart:
    torch.manual_seed(0)
    network = Generator(NetworkConfig(channels=3, height=pixels, width=pixels)).eval().requires_grad_(False)
    return ExportedPart(network)


def measure(side: str, pixels: int, rounds: int, file: Path) -> dict:
    """Median seconds per image by batch size, after one run that warms up."""
    keep_freed_memory()
    part = make_part(pixels)
    run, seconds = runner(side, part, file), {}
    for batch in BATCHES:
        inputs, laps = part.example(batch, 0.7), []
        with torch.inference_mode():
            for _ in range(rounds + 1):
                start = time.perf_counter()
                run(inputs)
                laps.append(time.perf_counter() - start)
        seconds[str(batch)] = statistics.median(laps[1:]) / batch
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256, help="of the images, in pixels")
    parser.add_argument("--repeats", type=int, default=2, help="processes per side")
    parser.add_argument("--rounds", type=int, default=5, help="times each batch is measured in a process")
    parser.add_argument("--only", choices=SIDES, help="one side, in this process, as JSON")
    parser.add_argument("--file", type=Path, help="the ONNX file of --only onnx")
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only, arguments.side, arguments.rounds, arguments.file)))
        return
    part, results = make_part(arguments.side), {side: [] for side in SIDES}  # type: dict[str, list[dict]]
    info = GeneratorInfo(network=part.network.config, classes=(), class_counts=(), images_seen=0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "generator.onnx"
        export_onnx(part, info, file, {})
        for _ in range(arguments.repeats):
            for side in SIDES:
                options = {"side": arguments.side, "rounds": arguments.rounds, "file": file}
                results[side].append(run_apart("export", side, **options))
    print(f"{arguments.side}x{arguments.side}, seconds per image; {describe()}")
    for batch in map(str, BATCHES):
        row = {side: [seconds[batch] for seconds in results[side]] for side in SIDES}
        eager = statistics.median(row["eager"])
        sides = [
            f"{side} {min(row[side]):.3f} to {max(row[side]):.3f} (eager / {side} "
            f"{eager / statistics.median(row[side]):.2f})"
            for side in SIDES
        ]
        print(f"batch {batch}: {', '.join(sides)}")


if __name__ == "__main__":
    main()
