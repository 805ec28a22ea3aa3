"""Seconds per image of generation on this machine's cores, beside the same network by plain ops.

    python -m tests.bench.generate [--side 256] [--precision bf16] [--repeats 2] [--rounds 5] [--json]

Both sides run in turn, each in processes of its own: `plain` is fp32 with the ops of `tests.bench.plain_ops` and the
memory allocator as it comes, `package` is the network's part of
`generate.py images --precision ...`. An unlabelled RGB network of
channel base 16384, at most 512 channels, with the weights of its start.
"""

import argparse
import json
import resource
import statistics
import time
from contextlib import nullcontext

import torch

from stylegan_ada.checkpoint import GeneratorInfo
from stylegan_ada.config import NetworkConfig
from stylegan_ada.devices import keep_freed_memory
from stylegan_ada.networks import Generator
from stylegan_ada.sampling import TrainedGenerator

from .machine import describe, run_apart
from .plain_ops import plain_ops

BATCHES = (1, 8)
SIDES = ("plain", "package")


def measure(side: str, pixels: int, precision: str, rounds: int) -> dict:
    """Median seconds per image by batch size, after one round that warms up; GiB."""
    if side == "package":
        keep_freed_memory()
    config = NetworkConfig(channels=3, height=pixels, width=pixels)
    info = GeneratorInfo(network=config, classes=(), class_counts=(), images_seen=0)
    with plain_ops() if side == "plain" else nullcontext():
        network = Generator(config).eval().requires_grad_(False)
        if side == "package" and precision == "bf16":
            network.synthesis.compute_in(torch.bfloat16)
        generator = TrainedGenerator(network, info)
        seconds = {}
        for batch in BATCHES:
            z = torch.randn(batch, config.z_dim)
            laps = []
            for _ in range(rounds + 1):
                start = time.perf_counter()
                generator.from_z(z, noise="const")
                laps.append(time.perf_counter() - start)
            seconds[str(batch)] = statistics.median(laps[1:]) / batch
    return {"seconds": seconds, "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256, help="of the images, in pixels")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of the package's side")
    parser.add_argument("--repeats", type=int, default=2, help="processes per side")
    parser.add_argument("--rounds", type=int, default=5, help="times each batch is measured in a process")
    parser.add_argument("--only", choices=SIDES, help="one side, in this process, as JSON")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only, arguments.side, arguments.precision, arguments.rounds)))
        return
    results: dict[str, list[dict]] = {side: [] for side in SIDES}
    for _ in range(arguments.repeats):
        for side in SIDES:
            options = {"side": arguments.side, "precision": arguments.precision, "rounds": arguments.rounds}
            results[side].append(run_apart("generate", side, **options))
    report: dict = {"side": arguments.side, "precision": arguments.precision, "machine": describe(), "batches": {}}
    for batch in map(str, BATCHES):
        row = {side: [result["seconds"][batch] for result in results[side]] for side in SIDES}
        ratio = statistics.median(row["plain"]) / statistics.median(row["package"])
        report["batches"][batch] = {**row, "ratio": ratio}
    report["peak_gib"] = {side: max(result["peak_gib"] for result in results[side]) for side in SIDES}
    print(json.dumps(report) if arguments.json else table(report))


def table(report: dict) -> str:
    lines = [
        f"{report['side']}x{report['side']}, package in {report['precision']}, seconds per image; {report['machine']}"
    ]
    for batch, row in report["batches"].items():
        spans = [f"{side} {min(row[side]):.3f} to {max(row[side]):.3f}" for side in SIDES]
        lines.append(f"batch {batch}: {', '.join(spans)}, plain / package {row['ratio']:.2f}")
    lines.append("peak memory: " + ", ".join(f"{side} {report['peak_gib'][side]:.2f} GiB" for side in SIDES))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
