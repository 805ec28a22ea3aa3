"""How much memory is free, and a run that would need more: it is said before the first step."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.errors import RunFailed
from stylegan_ada.training import RunFolder, Trainer
from stylegan_ada.training.outputs import memory

MEMINFO = "MemTotal:       24000000 kB\nMemFree: 100000 kB\nMemAvailable:    8000000 kB\nSwapFree: 1000 kB\n"


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("", {}, math.inf),
        ("0::/\n", {"memory.max": "max\n", "memory.current": "5\n"}, math.inf),
        ("0::/a/b\n", {"a/memory.max": "3000\n", "a/memory.current": "1000\n"}, 2000),  # of the group around
        (
            "0::/a\n",
            {
                "a/memory.max": "3000\n",
                "a/memory.current": "1000\n",
                "a/memory.stat": "anon 700\ninactive_file 100\nactive_file 200\n",  # which the kernel drops
            },
            2300,
        ),
        ("0::/a\n", {"a/memory.max": "3000\n", "a/memory.current": "4000\n"}, 0),
        (
            "4:memory:/docker/x\n1:cpu:/\n0::/\n",  # as in a container, which does not see that folder
            {"memory/memory.limit_in_bytes": "3000\n", "memory/memory.usage_in_bytes": "500\n"},
            2500,
        ),
        (
            "4:cpu,memory:/a\n",
            {
                "memory/a/memory.limit_in_bytes": "3000\n",
                "memory/a/memory.usage_in_bytes": "500\n",
                "memory/a/memory.stat": "cache 100\ninactive_file 3\ntotal_inactive_file 7\n",
                "memory/memory.limit_in_bytes": "9223372036854771712\n",
                "memory/memory.usage_in_bytes": "900\n",
            },
            2507,
        ),
    ],
)
def test_the_least_of_all_limits_is_what_is_free(
    membership: str, files: dict[str, str], expected: float, tmp_path: Path
) -> None:
    proc = written(tmp_path / "proc", {"meminfo": MEMINFO, "self/cgroup": membership})
    assert memory.free_in_groups(proc, written(tmp_path / "groups", files)) == expected + 1000 * 1024
    assert memory.free_memory(proc) == 8_001_000 * 1024


def test_a_system_that_does_not_say_sets_no_limit(tmp_path: Path) -> None:
    assert memory.free_memory(tmp_path) == memory.free_in_groups(tmp_path, tmp_path) == math.inf


def test_addresses_are_limited_by_ulimit(monkeypatch: pytest.MonkeyPatch) -> None:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (size + 5 * 2**30, -1))
    assert memory.free_addresses() == pytest.approx(5 * 2**30, rel=0.1)
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (1000, -1))
    assert memory.free_addresses() == 0
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (-1, -1))
    assert memory.free_addresses() == math.inf


@pytest.fixture
def said(dataset: ImageDataset, tiny_config: Callable[..., Any], tmp_path: Path) -> Callable[..., list[str]]:
    """What a run of some images says, begun or gone on with."""

    def run(images: int, **settings: int) -> list[str]:
        lines: list[str] = []
        config = tiny_config(kimg=images / 1000, **settings)
        Trainer(config, dataset, RunFolder(tmp_path), torch.device("cpu"), lines.append).train(lambda: False)
        return lines

    return run


@pytest.mark.parametrize("micro_batch", [8, 3, 2])
def test_too_little_is_said_before_the_first_step(
    micro_batch: int, said: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_in_groups", lambda: 1e4)
    with pytest.raises(RunFailed, match=r"training needs about .* GiB of memory beyond .* are free: try `micro_batch`"):
        said(8, micro_batch=micro_batch)
    assert RunFolder(tmp_path).checkpoints() == []


def test_a_machine_that_may_give_more_and_a_run_that_has_begun_are_warned(
    said: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 1e4)
    assert [line for line in said(8) if "of memory beyond what is in use" in line and line.startswith("warning: ")]
    monkeypatch.setattr(memory, "free_in_groups", lambda: 1e4)
    assert sum("close other programs" in line for line in said(16)) == 1


def test_in_a_group_with_a_limit(image_folder: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    """The kernel's killer would end it with -9."""
    group = Path(f"/sys/fs/cgroup/memory/stylegan-ada-{os.getpid()}")
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control groups of version 1 here ({error.strerror})")
    try:
        (group / "memory.limit_in_bytes").write_text(str(400 * 2**20))  # of which torch takes most
        options = ["--data", image_folder, "--size", "16", "--batch", "8", "--kimg", "0.008", "--channel-base", "64"]
        result = subprocess.run(
            [sys.executable, "-m", "stylegan_ada", "train", *options, "--out", tmp_path / "run"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: (group / "cgroup.procs").write_text("0"),
        )
    finally:
        group.rmdir()
    assert result.returncode == 1
    assert "GiB of memory beyond what is in use" in result.stderr.splitlines()[-1]
