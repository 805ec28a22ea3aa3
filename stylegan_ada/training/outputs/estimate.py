"""The time that a run will take, and its memory."""

from collections.abc import Callable, Sequence

from ...config import TrainingConfig
from ..step.objective import MicroBatch
from ..step.phases import Phase
from .between_ticks import Clock
from .log import duration
from .memory import peak_memory_gib

LONG_SECONDS = 24 * 3600.0


def estimate(
    phases: Sequence[Phase],
    micro_batches: list[MicroBatch],
    training: TrainingConfig,
    images_seen: int,
    should_stop: Callable[[], bool],
) -> list[str]:
    """Tries every phase without moving anything, and says how long the rest of the run will take; [] if stopped."""
    device = micro_batches[0].images.device
    seconds = 0.0
    for phase in phases:
        laps = []
        for _ in range(2):  # the first time also chooses algorithms and fetches memory
            if should_stop():
                return []
            clock = Clock(device)
            phase.gradients(micro_batches, training.batch)
            laps.append(clock.lap())
        seconds += min(laps) / phase.interval
        phase.optimizer.zero_grad(set_to_none=True)
    sec_per_kimg = seconds * 1000 / training.batch
    left = training.kimg - images_seen / 1000
    on_gpu = device.type == "cuda"
    lines = [
        f"estimate: {duration(sec_per_kimg * left)} for {left:g} kimg at {sec_per_kimg:.1f} s/kimg, "
        f"{peak_memory_gib(device):.1f} GiB of {'GPU ' if on_gpu else ''}memory"
    ]
    if not on_gpu and sec_per_kimg * left > LONG_SECONDS:
        lines.append("warning: that is more than a day; on a CPU take a smaller `size`, `channel_base` or `kimg`")
    return lines
