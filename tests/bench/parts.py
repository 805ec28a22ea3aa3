"""Where the time of a training step goes, by plain ops and by the package's.

    python -m tests.bench.parts --case a [--precision bf16]

Each call of a part's function is marked for torch's profiler; a backward operation counts for the part whose forward
operation it differentiates, of any order. A step is G + G_pl / 4 + D + D_r1 / 16, as in `tests.bench.cpu`, each phase
profiled once after two rounds that warm up; the profiler itself adds to it.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

from torch.profiler import ProfilerActivity, profile, record_function

from stylegan_ada.augment import AugmentPipe
from stylegan_ada.devices import keep_freed_memory
from stylegan_ada.networks import layers, synthesis
from stylegan_ada.random import Draws

from . import plain_ops
from .cpu import CASES, SIDES, make_trainer
from .machine import describe, run_apart

PARTS = ("convolution", "modulation", "resampling", "bias and activation", "augmentation", "random numbers", "rest")
MARK = "part: "
# what autograd Functions record in the backward pass, without telling their forward call
BY_NAME = {"_ProductBackward": "convolution", "_UpfirdnBackward": "resampling"}
# the modules, by name since a function hides its module of the same name, and the part that each function is
OPS = "stylegan_ada.ops."
PACKAGE_CALLS = (
    (layers, "conv2d_resample", "convolution"),
    (sys.modules[OPS + "modulated_conv2d"], "conv2d_resample", "convolution"),
    (sys.modules[OPS + "conv2d_resample"], "upfirdn2d", "resampling"),
    (synthesis, "upsample2d", "resampling"),
    (synthesis, "modulated_conv2d", "modulation"),
    (synthesis, "bias_act", "bias and activation"),
    (layers, "bias_act", "bias and activation"),
)
PLAIN_CALLS = (
    (plain_ops, "conv2d_resample", "convolution"),
    (plain_ops, "upfirdn2d", "resampling"),
    (plain_ops, "modulated_conv2d", "modulation"),
    (plain_ops, "bias_act", "bias and activation"),
)
COMMON_CALLS = (
    (AugmentPipe, "forward", "augmentation"),
    *((Draws, name, "random numbers") for name in ("normal", "uniform", "integers")),
)


def marked(function: Callable, part: str) -> Callable:
    def call(*arguments: Any, **options: Any) -> Any:
        with record_function(MARK + part):
            return function(*arguments, **options)

    call.__name__ = function.__name__
    return call


@contextmanager
def marks(calls: tuple) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, part in calls:
            stack.enter_context(patch.object(owner, name, marked(getattr(owner, name), part)))
        yield


def seconds_by_part(events: list) -> dict[str, float]:
    """Self time of all events, by the part of the innermost mark above, or of what they differentiate."""
    part_of_node: dict[int, str] = {}  # by the number that a forward operation shares with its backward one
    seconds: dict[str, float] = defaultdict(float)
    for event in sorted(events, key=lambda event: event.time_range.start):
        part = part_above(event, part_of_node)
        if event.sequence_nr >= 0 and "evaluate_function" not in event.name:
            part_of_node[event.sequence_nr] = (
                part  # operations without a gradient show the number of the next that has one
            )
        seconds[part] += event.self_cpu_time_total / 1e6
    return seconds


def part_above(event: Any, part_of_node: dict[int, str]) -> str:
    while event is not None:
        if event.name.startswith(MARK):
            return event.name.removeprefix(MARK)
        if event.name in BY_NAME:
            return BY_NAME[event.name]
        if "evaluate_function" in event.name:
            known = part_of_node.get(event.sequence_nr)
            return known or BY_NAME.get(event.name.split(": ")[-1], "rest")
        event = event.cpu_parent
    return "rest"


def measure(side: str, case: str, precision: str) -> dict[str, float]:
    """Seconds of a step by part, in this process."""
    if side == "package":
        keep_freed_memory()
    calls = PLAIN_CALLS if side == "plain" else PACKAGE_CALLS
    with marks(calls + COMMON_CALLS), plain_ops.plain_ops() if side == "plain" else nullcontext():
        trainer = make_trainer(case, precision)
        batch = trainer.config.training.batch
        micro_batches = trainer.real.micro_batches(0)
        seconds = dict.fromkeys(PARTS, 0.0)
        for phase in trainer.phases:
            for _ in range(2):
                phase.gradients(micro_batches, batch)
                phase.step()
            with profile(activities=[ProfilerActivity.CPU]) as profiler:
                phase.gradients(micro_batches, batch)
                phase.step()
            for part, value in seconds_by_part(list(profiler.events())).items():
                seconds[part] += value / phase.interval
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, required=True)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of the package's side")
    parser.add_argument("--only", choices=SIDES, help="one side, in this process, as JSON")
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only, arguments.case, arguments.precision)))
        return
    found = {}
    for side in SIDES:
        precision = "fp32" if side == "plain" else arguments.precision
        found[side] = run_apart("parts", side, case=arguments.case, precision=precision)
    print(f"case {arguments.case}, package in {arguments.precision}, ms of a step; {describe()}\n")
    print("| part | " + " | ".join(f"{side} | %" for side in SIDES) + " |")
    print("|---|" + "---:|---:|" * len(SIDES))
    totals = {side: sum(found[side].values()) for side in SIDES}
    for part in PARTS:
        cells = [f"{found[side][part] * 1000:.0f} | {found[side][part] / totals[side]:.0%}" for side in SIDES]
        print(f"| {part} | " + " | ".join(cells) + " |")
    print("| all | " + " | ".join(f"{totals[side] * 1000:.0f} | 100%" for side in SIDES) + " |")


if __name__ == "__main__":
    main()
