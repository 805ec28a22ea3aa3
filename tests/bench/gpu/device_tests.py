"""The package's own tests that are marked `gpu`."""

import importlib.util

import pytest
import torch

from .rows import Rows

FOLDERS = ("tests/ops", "tests/augment", "tests/metrics")
PROCESSES = 8


class Kept:
    """A row for each failure as it is known, and at the end how many passed."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.passed = self.skipped = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed += report.when == "call" and report.passed
        self.skipped += report.skipped
        if report.failed:
            self.rows.add(report.nodeid, failed=last_line(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.rows.add(report.nodeid, failed=last_line(report))


def last_line(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longreprtext.strip().splitlines()[-1]


def tests(rows: Rows, device: torch.device) -> None:
    # this machine may lack the plugin that runs them in several processes, which pyproject.toml asks for
    options = ["-o", "addopts=--import-mode=importlib --strict-markers", "-p", "no:cacheprovider"]
    if importlib.util.find_spec("xdist"):
        options += ["-n", str(PROCESSES if device.type == "cuda" else 1)]
    kept = Kept(rows)
    status = pytest.main(["-m", "gpu", "--continue-on-collection-errors", *options, *FOLDERS], [kept])
    rows.value("passed", kept.passed, "tests")
    if kept.skipped:
        rows.add(f"{kept.skipped} tests", left_out="skipped by pytest, the log says why")
    if status and not rows.failed:
        rows.add("pytest", failed=f"it ended with {int(status)}")
