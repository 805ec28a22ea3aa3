"""When a run ticks, takes snapshots, is measured and ends."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from stylegan_ada.config import TrainingConfig
from stylegan_ada.training.schedule import Schedule, crossed


def schedule(**lengths: float) -> Schedule:
    return Schedule(**{"kimg": 1.0, "tick_kimg": 0.1, "snapshot_kimg": 0.2, "evaluate_kimg": 0.4, **lengths})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0, 99, False), (99, 100, True), (96, 104, True), (100, 101, False), (100, 199, False), (0, 500, True)],
)
def test_crossing_a_multiple(before: int, after: int, expected: bool) -> None:
    assert crossed(before, after, 0.1) is expected


def test_lengths_need_not_be_multiples_of_the_batch() -> None:
    """Of 10 images each step, a tick every 25: the first step at or after 25, 50, 75, 100."""
    ticks = [after for after in range(10, 101, 10) if crossed(after - 10, after, 0.025)]
    assert ticks == [30, 50, 80, 100]


def test_a_length_below_one_step_is_reached_by_every_step() -> None:
    assert all(crossed(before, before + 32, 0.001) for before in range(0, 320, 32))


def steps(test: Callable[..., Any], batch: int = 50, end: int = 1000) -> list[Any]:
    return [after for after in range(batch, end + 1, batch) if test(after - batch, after)]


def test_each_has_its_own_length() -> None:
    found = schedule(kimg=2.0)
    assert steps(found.ticks) == [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]
    assert steps(found.snapshots) == [200, 400, 600, 800, 1000]
    assert steps(found.measures) == [400, 800]


def test_a_measurement_is_of_a_snapshot_and_that_begins_with_a_tick() -> None:
    found = schedule(kimg=2.0, tick_kimg=0.5, snapshot_kimg=0.25, evaluate_kimg=0.35)
    assert steps(found.measures) == [350, 700]
    assert steps(found.snapshots) == [250, 350, 500, 700, 750, 1000]
    assert steps(found.ticks) == [250, 350, 500, 700, 750, 1000]


def test_the_last_step_is_followed_by_all() -> None:
    """Whatever the lengths are; it may show more than the whole."""
    long = schedule(kimg=0.05, tick_kimg=9.0, snapshot_kimg=9.0, evaluate_kimg=9.0)
    assert [long.finished(images) for images in (49, 50, 51)] == [False, True, True]
    for after, expected in ((49, False), (50, True), (56, True)):
        assert long.ticks(48, after) is long.snapshots(48, after) is long.measures(48, after) is expected


def test_without_measurements_there_are_none_and_no_snapshots_for_them() -> None:
    found = schedule(evaluate_kimg=0.0, snapshot_kimg=0.3)
    assert steps(found.measures) == []
    assert steps(found.snapshots) == [300, 600, 900, 1000]


def test_schedule_of_a_run() -> None:
    training = TrainingConfig(kimg=7.0, tick_kimg=1.0, snapshot_kimg=2.0, evaluate_kimg=3.0)
    found = Schedule.of(training, measured=True)
    assert dataclasses.astuple(found) == (7.0, 1.0, 2.0, 3.0)
    assert Schedule.of(training, measured=False).evaluate_kimg == 0
