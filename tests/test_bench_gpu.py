"""The kit for a GPU with parts that are made to fail: what they wrote is kept, and what is missing is named."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROW = (
    "from pathlib import Path; from tests.bench.gpu.rows import Rows; Rows(Path({out!r}), {name!r}).value('figure', 5)"
)


@pytest.fixture
def runner(bench_module: Callable[[str], ModuleType]) -> ModuleType:
    return bench_module("gpu/runner")


@pytest.fixture
def part(runner: ModuleType, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """part(name, then, limit): writes a row, then does what the code `then` does."""
    monkeypatch.chdir(root)

    def make(name: str, then: str = "", limit: float = 60) -> Any:
        row = ROW.format(out=str(tmp_path), name=name)
        return runner.Part(name, [sys.executable, "-c", f"{row}\n{then}"], limit)

    return make


@pytest.fixture
def run(runner: ModuleType, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """run(parts): how each ended, by name."""

    def run_parts(*parts: Any, seconds: float = 60) -> dict[str, str]:
        ended = runner.run_together(parts, tmp_path, time.monotonic() + seconds)
        return {one.part: one.how for one in ended}

    return run_parts


def kept(folder: Path) -> set[str]:
    return {json.loads(line)["part"] for line in (folder / "results.jsonl").read_text().splitlines()}


def test_a_crash_costs_neither_rows_nor_the_part_beside_it(
    part: Callable[..., Any], run: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    crash = "import os, sys; print('last words', file=sys.stderr, flush=True); os.kill(os.getpid(), 11)"
    assert run(part("crash", crash), part("well"), part("wrong", "raise SystemExit(3)")) == {
        "crash": "crashed by SIGSEGV",
        "well": "done",
        "wrong": "ended with 3",
    }
    assert kept(tmp_path) == {"crash", "well", "wrong"}
    assert "last words" in (tmp_path / "crash.log").read_text()


def test_what_hangs_is_cut_with_all_that_it_started(
    part: Callable[..., Any], run: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    hang = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(subprocess.Popen(['sleep', '300']).pid)); time.sleep(300)"
    )
    assert run(part("hang", hang, limit=3)) == {"hang": "cut after 3 s by the limit of this part"}
    assert kept(tmp_path) == {"hang"}
    child = int((tmp_path / "child").read_text())
    assert_dead(child)


def test_children_of_a_part_that_ended_are_ended(
    part: Callable[..., Any], run: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    leave = (
        f"import subprocess; open({str(tmp_path / 'child')!r}, 'w').write(str(subprocess.Popen(['sleep', '300']).pid))"
    )
    assert run(part("leave", leave)) == {"leave": "done"}
    assert_dead(int((tmp_path / "child").read_text()))


def assert_dead(process: int) -> None:
    """Killed: gone, or a zombie that nobody has asked for yet."""
    for _ in range(100):
        status = Path(f"/proc/{process}/stat")
        if not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return
        time.sleep(0.05)
    os.kill(process, 9)
    raise AssertionError(f"process {process} was left running")


def test_the_time_for_all_parts(part: Callable[..., Any], run: Callable[..., dict[str, str]]) -> None:
    assert run(part("long", "import time; time.sleep(300)"), seconds=2) == {
        "long": "cut after 2 s by the time for all parts"
    }
    assert run(part("late"), seconds=0) == {"late": "not started: the time for all parts was over"}


def test_the_table_names_what_is_missing(bench_module: Callable[[str], ModuleType]) -> None:
    rows = [
        {"part": "step", "what": "training", "value": 3.14159, "unit": "s"},
        {"part": "step", "what": "kernels", "failed": "no driver"},
        {"part": "step", "what": "a detail", "error": 0.1},
        {"part": "step", "what": "end", "how": "ended with 1", "seconds": 4.0},
        {"part": "graph", "what": "captured graph", "left_out": "it needs CUDA"},
        {"part": "graph", "what": "end", "how": "done", "seconds": 1.0},
    ]
    table = bench_module("gpu/table").table(rows)
    figures, missing = table.split("\n\nMissing:\n")
    assert [line.split() for line in figures.splitlines()] == [
        ["step:", "ended", "with", "1,", "4", "s"],
        ["training", "3.142", "s"],
        ["graph:", "done,", "1", "s"],
    ]
    assert missing.splitlines() == [
        "step: ended with 1, see step.log",
        "step, kernels: failed, no driver",
        "graph, captured graph: left out, it needs CUDA",
    ]
    assert bench_module("gpu/table").table(rows[5:]).endswith("Nothing is missing.")


PLANTED = """
import os, sys, time
if "tests.bench.gpu.part" in sys.orig_argv:
    if "graph" in sys.orig_argv:
        os.kill(os.getpid(), 11)
    time.sleep(300)
"""


def test_the_kit_ends_with_1_and_names_a_crash_a_hang_and_what_did_not_fit(
    root: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(PLANTED)
    line = [sys.executable, "-m", "tests.bench.gpu", "--device", "cpu", "--out", str(tmp_path / "new")]
    line += ["--minutes", "0.03", "--parts", "host,graph,compiled"]
    planted = {**environment, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(line, cwd=root, env=planted, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stdout.split("Missing:\n")[1].splitlines() == [
        "graph: crashed by SIGSEGV, see graph.log",
        "host: cut after 2 s by the time for all parts, see host.log",
        "compiled: not started: the time for all parts was over",
    ]
