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
from ...progress import Say
from ..step.objective import MicroBatch
from ..step.phases import Phase

MARGIN = 1.2  # of what half a step lets expect of a whole one
EARLY = 0.4  # of what fewer images let expect: algorithms and the first memory of libraries make that too much
SNAPSHOT, MEASUREMENT = 128 * 2**20, 400 * 2**20  # bytes: pictures and curves; the network that computes features
ADAM_BYTES = 8  # a parameter's two moments, which the first step makes


def check_memory(phases: Sequence[Phase], micro_batches: Sequence[MicroBatch], config: RunConfig, say: Say) -> None:
    """Raises RunFailed where a new run on the CPU would go beyond the limit of its control group, as containers and
    schedulers set it, or of `ulimit -v`: the system would end it without a word. A machine that has less memory free
    than the run needs, which other programs or swap may give, and a run that goes on, get a warning.

    It tries every phase on a few images, then on more, without moving anything. On a GPU torch says it in time.
    """
    micro_batch = max(micro_batches, key=lambda one: len(one.indices))
    count = len(micro_batch.indices)
    if micro_batch.images.device.type != "cpu":
        return
    learning = {id(phase.module): phase.learning for phase in phases if not phase.optimizer.state}
    later = ADAM_BYTES * sum(parameter.numel() for part in learning.values() for parameter in part)
    later += SNAPSHOT + MEASUREMENT * (config.training.evaluate_kimg > 0)
    before, peak = 0, _held()
    for part in sorted({count // 16, count // 8, count // 4, count // 2} - {0}):
        last, peak = peak, _peak_of(phases, micro_batch.first_ones(part), config.training.batch)
        if before or count < 4:
            growth = max(0, peak - last) / (part - before) * (count - part)
            needed = later + growth * (MARGIN if part == count // 2 else EARLY) + max(0, peak - _held())
            if not _suffices(needed, config, say, is_new=bool(learning)):
                return
        before = part


def _suffices(needed: float, config: RunConfig, say: Say, is_new: bool) -> bool:
    """Whether there are so many bytes beyond those that this process holds; where there are not, it is said."""
    needed *= distributed.local_world_size()
    limit = min(free_in_groups(), free_addresses())
    shares = distributed.gather(torch.tensor([[needed, limit, free_memory()]], dtype=torch.float64))
    needed, limit, in_all = shares[(shares[:, 0] - shares[:, 1:].amin(dim=1)).argmax()].tolist()  # the worst off
    free = min(limit, in_all)
    if needed <= free:
        return True
    words = (
        f"training needs about {needed / 2**30:.2f} GiB of memory beyond what is in use, and "
        f"{free / 2**30:.2f} GiB are free: "
    )
    if is_new and needed > limit:
        if distributed.rank() > 0:
            raise PeerError("a process has too little memory")
        raise RunFailed(f"{words}try {advice_on_memory(config)}")
    say(f"warning: {words}if the system ends this run, close other programs and give the same command again")
    return False


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
    """The most that this process has held since then, in bytes."""
    return _of_status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _held() -> int:
    """What this process holds, in bytes; what it held at most where the system does not say."""
    return _of_status("VmRSS") or _peak()


def _of_status(name: str) -> int:
    return dict(_numbers(Path("/proc/self/status"))).get(name, 0) * 1024


def peak_memory_gib(device: torch.device) -> float:
    """The most memory that this process has used: on the GPU, or in all."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def free_memory(proc: Path = Path("/proc")) -> float:
    """Bytes of memory and swap that nobody on this machine uses. Infinite where the system does not say."""
    numbers = dict(_numbers(proc / "meminfo"))
    return (numbers["MemAvailable"] + numbers.get("SwapFree", 0)) * 1024 if "MemAvailable" in numbers else math.inf


def free_addresses() -> float:
    """Bytes that this process may still ask for by `ulimit -v` (RLIMIT_AS). Infinite without such a limit."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return math.inf if limit == resource.RLIM_INFINITY else max(0, limit - _of_status("VmSize"))


def free_in_groups(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> float:
    """Bytes of memory and swap within the limits of the control groups of this process. Files that the system can drop
    count as free. Infinite without limits."""
    swap = dict(_numbers(proc / "meminfo")).get("SwapFree", 0) * 1024
    return min(_free_in_each(proc / "self" / "cgroup", groups), default=math.inf) + swap


def _free_in_each(membership: Path, groups: Path) -> Iterator[float]:
    """Of each group that has a limit, and each group around it; versions 2 and 1 of the kernel's interface."""
    for line in _lines(membership):
        _, controllers, place = line.split(":", 2)
        if controllers == "":
            root, limit, used, prefix = groups, "memory.max", "memory.current", ""
        elif "memory" in controllers.split(","):
            root, limit, used, prefix = groups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"
        else:
            continue
        folder = root / place.lstrip("/")
        for group in (folder, *folder.parents):
            numbers = [*_lines(group / limit), *_lines(group / used)]
            if len(numbers) == 2 and numbers[0] != "max":
                kept = dict(_numbers(group / "memory.stat"))
                dropped = sum(kept.get(name, 0) for name in (f"{prefix}inactive_file", f"{prefix}active_file"))
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
