"""Memory: what a process may still take, what a step needs, and what to try where that does not suffice."""

import math
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from ... import distributed
from ...config import RunConfig
from ...errors import PeerError, RunFailed
from ...networks.discriminator import GROUP_SIZE
from ..step.objective import MicroBatch
from ..step.phases import Phase

MARGIN = 1.2  # of what half a step lets expect of a whole one
EARLY = 0.4  # of what fewer images let expect: algorithms and the first memory of libraries make that too much
SNAPSHOT, MEASUREMENT = 128 * 2**20, 400 * 2**20  # bytes: pictures and curves; the network that computes features
ADAM_BYTES = 8  # a parameter's two moments, which the first step makes


def check_memory(phases: Sequence[Phase], micro_batches: Sequence[MicroBatch], config: RunConfig) -> None:
    """Raises RunFailed where a run on the CPU needs more memory than is free: the system would end the process without
    a word. It tries every phase on a few images, then on more, without moving anything. On a GPU torch says it in time.
    """
    micro_batch = max(micro_batches, key=lambda one: len(one.indices))
    count = len(micro_batch.indices)
    if micro_batch.images.device.type != "cpu":
        return
    learning = {id(phase.module): phase.learning for phase in phases if not phase.optimizer.state}
    later = ADAM_BYTES * sum(parameter.numel() for part in learning.values() for parameter in part)
    later += SNAPSHOT + MEASUREMENT * (config.training.evaluate_kimg > 0)
    before, peak = 0, 0
    for part in sorted({count // 16, count // 8, count // 4, count // 2} - {0}):
        last, peak = peak, _peak_of(phases, micro_batch.first_ones(part), config.training.batch)
        if before:
            growth = max(0, peak - last) / (part - before) * (count - part)
            _check(later + growth * (MARGIN if part == count // 2 else EARLY), config)
        before = part


def _check(needed: float, config: RunConfig) -> None:
    """needed: bytes that this process will take beyond what it has."""
    needed *= distributed.local_world_size()
    free = free_memory()
    if not distributed.any_rank(needed > free):
        return
    if distributed.rank() > 0:
        raise PeerError("a process has too little memory")
    raise RunFailed(
        f"training needs about {needed / 2**30:.2f} GiB of memory beyond what is in use, and "
        f"{free / 2**30:.2f} GiB are free: try {advice_on_memory(config)}"
    )


def _peak_of(phases: Sequence[Phase], micro_batch: MicroBatch, batch: int) -> int:
    """The most memory, in bytes, that the process holds while the phases compute their gradients."""
    _forget_peak()
    for phase in phases:
        phase.gradients([micro_batch], batch)
        phase.optimizer.zero_grad(set_to_none=True)
    return _peak()


def _forget_peak() -> None:
    """Lets the peak begin anew at what the process holds now."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # see proc(5)
    except OSError:
        return  # then the peak is that of the whole process


def _peak() -> int:
    """In bytes, of this process."""
    for name, value in _numbers(Path("/proc/self/status")):
        if name == "VmHWM":
            return value * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def peak_memory_gib(device: torch.device) -> float:
    """The most memory that this process has used: on the GPU, or in all."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def free_memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> float:
    """Bytes that this process may still take: of the machine, and within the limits of its control groups, where files
    that the system can drop do not count. Infinite where the system does not say."""
    machine = (value * 1024 for name, value in _numbers(proc / "meminfo") if name == "MemAvailable")
    return min([*machine, *_free_in_groups(proc / "self" / "cgroup", groups)], default=math.inf)


def _free_in_groups(membership: Path, groups: Path) -> Iterator[float]:
    """Of each group that has a limit, and each group around it; versions 2 and 1 of the kernel's interface."""
    for line in _lines(membership):
        _, controllers, place = line.split(":", 2)
        if controllers == "":
            root, limit, used, file = groups, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            root, limit, used, file = (
                groups / "memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
        else:
            continue
        folder = root / place.lstrip("/")
        for group in (folder, *folder.parents):
            numbers = [*_lines(group / limit), *_lines(group / used)]
            if len(numbers) == 2 and numbers[0] != "max":
                dropped = dict(_numbers(group / "memory.stat")).get(file, 0)
                yield max(0, int(numbers[0]) - int(numbers[1]) + dropped)
            if group == root:
                break


def _numbers(path: Path) -> Iterator[tuple[str, int]]:
    """Names and whole numbers of the lines "name 12" and "name: 12 kB" of a file."""
    for line in _lines(path):
        name, _, rest = line.replace(":", " ", 1).partition(" ")
        if rest.split() and rest.split()[0].isdigit():
            yield name, int(rest.split()[0])


def _lines(path: Path) -> list[str]:
    """None where there is no such file, as on other systems than Linux."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def advice_on_memory(config: RunConfig) -> str:
    """The option to try after memory ran out: half the micro-batch, in whole minibatch-std groups if possible."""
    share = config.training.batch // distributed.world_size()
    half = min(config.training.micro_batch or share, share) // 2
    return f"`micro_batch` {half // GROUP_SIZE * GROUP_SIZE or half}" if half else "a smaller `channel_base`"
