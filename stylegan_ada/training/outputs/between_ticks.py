"""What is gathered between two ticks: means over images, gradients that were made finite, and seconds."""

import time

import torch
from torch import Tensor

from ... import distributed


class Averages:
    """Means over all images since the last look, gathered on the device without waiting for it."""

    def __init__(self, device: torch.device):
        self.device = device
        self._sums: dict[str, Tensor] = {}

    def add(self, name: str, total: Tensor, count: int) -> None:
        """total: sum of `count` images' values, a scalar on the device."""
        entry = torch.stack([total.detach().double(), torch.full((), count, dtype=torch.float64, device=self.device)])
        self._sums[name] = self._sums[name] + entry if name in self._sums else entry

    def take(self) -> dict[str, float]:
        """The means over all ranks, by name; starts anew."""
        if not self._sums:
            return {}
        names = sorted(self._sums)
        sums = distributed.sum_over_ranks(torch.stack([self._sums[name] for name in names])).tolist()
        self._sums = {}
        return {name: total / count for name, (total, count) in zip(names, sums, strict=True)}


class ScrubbedGradients:
    """Counts the gradient steps of each phase, and those whose gradients were NaN or infinite, without waiting for the
    device."""

    def __init__(self) -> None:
        self._flags: dict[str, list[Tensor]] = {}

    def add(self, phase: str, scrubbed: Tensor) -> None:
        """scrubbed: bool scalar of one step, the same on all ranks."""
        self._flags.setdefault(phase, []).append(scrubbed)

    def take(self) -> dict[str, tuple[int, int]]:
        """For each phase how many steps there were since the last look, and how many of them were scrubbed."""
        counts = {phase: (len(flags), int(torch.stack(flags).sum())) for phase, flags in self._flags.items()}
        self._flags = {}
        return counts


class Clock:
    """Seconds since the last look, waiting for the device first."""

    def __init__(self, device: torch.device):
        self.device = device
        self.last = self._now()

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def lap(self) -> float:
        previous, self.last = self.last, self._now()
        return self.last - previous
