"""Damaged checkpoints and broken numbers: what the suite's own tests plant, again and again."""

import time
from collections import Counter
from pathlib import Path

import pytest

from .table import Row

FILES = {
    "tests/training/test_resume.py": "a checkpoint or another file of a run damaged",
    "tests/training/test_broken_numbers.py": "NaN planted in weights, an optimiser's state, gradients",
}


class Counts:
    """A plugin of pytest that counts."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.failed: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file, _, name = report.nodeid.partition("::")
        if report.failed:
            self.failed.setdefault(file, name)
        elif report.when == "call":
            self.passed[file] += 1


def rows(out: Path, seconds: float) -> list[Row]:
    """At least once, and again until the time is up."""
    out.mkdir(parents=True, exist_ok=True)
    counts, end, first = Counts(), time.monotonic() + seconds, True
    while first or time.monotonic() < end:
        pytest.main(["-q", "-n", "0", "--basetemp", str(out / "tests"), *FILES], plugins=[counts])
        first = False
    return [
        Row(what=what, times=counts.passed[file], lost=counts.failed.get(file, "nothing"))
        for file, what in FILES.items()
    ]
