"""Seconds of training per thousand images on this machine's cores, beside the same training by plain ops.

    python -m tests.bench.cpu --case a [--precision bf16] [--repeats 2] [--rounds 3] [--json]

Both sides run in turn, each in processes of its own: `plain` is fp32 with the ops of `tests.bench.plain_ops` and the
memory allocator as it comes, `package` is what `stylegan-ada train` does. Unlabelled RGB noise is trained on, z and w
have 512 numbers, the mapping network 2 layers, style mixing 0.9, augmentation blit+geom+color at p = 0.2.
sec_per_kimg = (G + G_pl / 4 + D + D_r1 / 16 + EMA) * 1000 / batch, each phase with its optimiser's step.
"""

import argparse
import json
import resource
import statistics
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from stylegan_ada.config import AugmentConfig, DataConfig, NetworkConfig, RunConfig, TrainingConfig
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.devices import keep_freed_memory
from stylegan_ada.training import RunFolder, Trainer
from stylegan_ada.training.state import update_ema

from .machine import describe, run_apart
from .plain_ops import plain_ops

CASES = {  # side, batch, channel base, channel maximum
    "a": (32, 32, 4096, 128),
    "b": (64, 16, 16384, 256),
    "c": (128, 8, 16384, 512),
}
SIDES = ("plain", "package")


def make_trainer(case: str, precision: str) -> Trainer:
    side, batch, channel_base, channel_max = CASES[case]
    images = np.random.default_rng(0).integers(0, 256, (64, 3, side, side), dtype=np.uint8)
    config = RunConfig(
        data=DataConfig(data="noise"),
        network=NetworkConfig(
            channels=3,
            height=side,
            width=side,
            channel_base=channel_base,
            channel_max=channel_max,
            precision=precision,
        ),
        augment=AugmentConfig(ada_p=0.2),
        training=TrainingConfig(kimg=1, batch=batch),
        classes=(),
        fingerprint="",
    )
    dataset = ImageDataset(images, None, (), tuple(map(str, range(len(images)))), (), "")
    return Trainer(config, dataset, RunFolder(Path("unused")), torch.device("cpu"), print)


def measure(side: str, case: str, precision: str, rounds: int) -> dict:
    """Medians over `rounds` of one process, after one round that warms up; seconds per phase, GiB."""
    if side == "package":
        keep_freed_memory()
    with plain_ops() if side == "plain" else nullcontext():
        trainer = make_trainer(case, precision)
        batch = trainer.config.training.batch
        seconds: dict[str, list[float]] = {}
        for index in range(rounds + 1):
            micro_batches = trainer.real.micro_batches(index * batch)
            for phase in trainer.phases:
                start = time.perf_counter()
                phase.gradients(micro_batches, batch)
                phase.step()
                seconds.setdefault(phase.name, []).append(time.perf_counter() - start)
            start = time.perf_counter()
            update_ema(trainer.state.generator_ema, trainer.state.generator, 0.999)
            seconds.setdefault("EMA", []).append(time.perf_counter() - start)
    phases = {name: statistics.median(laps[1:]) for name, laps in seconds.items()}
    total = phases["G"] + phases["G_pl"] / 4 + phases["D"] + phases["D_r1"] / 16 + phases["EMA"]
    return {
        "sec_per_kimg": total * 1000 / batch,
        "phases": phases,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def combine(results: list[dict]) -> dict:
    """Medians over processes, with the lowest and highest sec_per_kimg."""
    laps = [result["sec_per_kimg"] for result in results]
    return {
        "sec_per_kimg": statistics.median(laps),
        "range": [min(laps), max(laps)],
        "phases": {
            name: statistics.median(result["phases"][name] for result in results) for name in results[0]["phases"]
        },
        "peak_gib": max(result["peak_gib"] for result in results),
    }


def table(report: dict) -> str:
    lines = [f"case {report['case']}, package in {report['precision']}, plain in fp32; {report['machine']}"]
    lines.append(
        f"{'':8} {'s/kimg':>8} {'from':>8} {'to':>8} {'G':>7} {'G_pl':>7} {'D':>7} {'D_r1':>7} {'EMA':>7} {'GiB':>5}"
    )
    for side in SIDES:
        if side in report:
            part = report[side]
            row = [part["sec_per_kimg"], *part["range"]]
            phases = [part["phases"][name] for name in ("G", "G_pl", "D", "D_r1", "EMA")]
            lines.append(
                f"{side:8} "
                + " ".join(f"{value:8.1f}" for value in row)
                + " "
                + " ".join(f"{value:7.3f}" for value in phases)
                + f" {part['peak_gib']:5.2f}"
            )
    if "ratio" in report:
        lines.append(f"plain / package: {report['ratio']:.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, required=True)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of the package's side")
    parser.add_argument("--repeats", type=int, default=2, help="processes per side")
    parser.add_argument("--rounds", type=int, default=3, help="times each phase is measured in a process")
    parser.add_argument("--only", choices=SIDES, help="one side, in this process, as JSON")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    case, precision, rounds = arguments.case, arguments.precision, arguments.rounds
    if arguments.only:
        print(json.dumps(measure(arguments.only, case, precision, rounds)))
        return
    results: dict[str, list[dict]] = {side: [] for side in SIDES}
    for _ in range(arguments.repeats):
        results["plain"].append(run_apart("cpu", "plain", case=case, rounds=rounds))
        results["package"].append(run_apart("cpu", "package", case=case, rounds=rounds, precision=precision))
    report = {"case": case, "precision": precision, "machine": describe()}
    report |= {side: combine(results[side]) for side in SIDES}
    report["ratio"] = report["plain"]["sec_per_kimg"] / report["package"]["sec_per_kimg"]
    print(json.dumps(report) if arguments.json else table(report))


if __name__ == "__main__":
    main()
