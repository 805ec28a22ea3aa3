"""The thread that paints: one batch of what is asked for together, the newest of a slider, errors to who asked."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada import UserError, load_generator
from stylegan_ada.explore import painter as module
from stylegan_ada.explore.jobs import DONE, FAILED, STOPPED, Job, Jobs
from stylegan_ada.explore.painter import Painter, Stale
from stylegan_ada.explore.shelf import MOST_KEPT, Item, Shelf
from stylegan_ada.projection.latents import Latents


@pytest.fixture
def latents(attribute_generator_file: Path) -> Any:
    """(generator, w [4, ...], noise [4, ...])"""
    generator = load_generator(attribute_generator_file)
    w, noise, _ = generator.latents(range(4))
    return generator, w, noise


def test_what_is_asked_together_is_one_batch(latents: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    generator, w, noise = latents
    expected = generator.sample(range(4))
    painter, gate, seen = Painter(generator), threading.Event(), []

    def slow(generator: Any, w: Any, noise: Any) -> Any:
        seen.append(len(w))
        gate.wait(10)
        return render(generator, w, noise)

    render = module.render_pairs
    monkeypatch.setattr(module, "render_pairs", slow)
    found: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: painter.paint(w[i : i + 1], noise[i : i + 1])[0]}))
        for i in range(4)
    ]
    threads[0].start()
    while not seen:
        time.sleep(0.01)
    for thread in threads[1:]:
        thread.start()
    while len(painter._waiting) < 3:
        time.sleep(0.01)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert seen == [1, 3]
    for index in range(4):
        assert np.abs(found[index][0].astype(int) - expected[index]).max() <= 1
    painter.close()


def test_of_a_slider_only_the_newest_counts(latents: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    generator, w, noise = latents
    painter, gate, outcome = Painter(generator), threading.Event(), {}
    render = module.render_pairs
    monkeypatch.setattr(module, "render_pairs", lambda *values: (gate.wait(10), render(*values))[1])

    def ask(index: int, stream: str | None) -> None:
        try:
            painter.paint(w[:1], noise[:1], stream)
            outcome[index] = "done"
        except Stale:
            outcome[index] = "stale"

    threads = []
    for index, stream in enumerate([None, "a", "a", "b", "a"]):
        threads.append(threading.Thread(target=ask, args=(index, stream)))
        threads[-1].start()
        time.sleep(0.1)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert outcome == {0: "done", 1: "stale", 2: "stale", 3: "done", 4: "done"}
    painter.close()


def test_an_error_goes_to_who_asked_and_the_next_is_painted(latents: Any) -> None:
    generator, w, noise = latents
    painter = Painter(generator)
    with pytest.raises(RuntimeError):
        painter.paint(w[:, :, :3], noise)
    assert painter.paint(w, noise)[0].shape == (4, 16, 16, 1)
    painter.close()


def test_nobody_waits_for_a_painter_that_is_closed(latents: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of the generator before, when a newer one is opened."""
    generator, w, noise = latents
    painter, gate, told = Painter(generator), threading.Event(), []
    render = module.render_pairs
    monkeypatch.setattr(module, "render_pairs", lambda *values: (gate.wait(10), render(*values))[1])

    def ask() -> None:
        try:
            painter.paint(w[:1], noise[:1])
            told.append("done")
        except UserError:
            told.append("closed")

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    painter.close()
    gate.set()
    for thread in threads:
        thread.join(10)
    ask()
    assert sorted(told) == ["closed", "closed", "done"]


def test_the_shelf_forgets_the_oldest_but_not_the_tray() -> None:
    def item(number: int) -> Item:
        latents = Latents(torch.full((1, 2, 4), float(number)), torch.zeros(1, 8), (), "w", "x")
        return Item(latents=latents, origin=f"number {number}")

    shelf = Shelf(most_bytes=3 * item(0).size)
    names = [shelf.put(item(0))]
    shelf.keep(names[0])
    names += [shelf.put(item(number)) for number in range(1, 6)]
    assert len(set(names)) == 6
    assert shelf.put(item(5)) == names[5]  # the same latent
    assert shelf.get(names[0]).origin == "number 0"
    assert shelf.get(names[5]).origin == "number 5"
    with pytest.raises(UserError, match="no longer known"):
        shelf.get(names[1])
    shelf.drop(names[0])
    assert shelf.tray() == {}
    for number in range(10, 10 + MOST_KEPT):
        shelf.keep(shelf.put(item(number)))
    with pytest.raises(UserError, match=f"holds {MOST_KEPT}"):
        shelf.keep(shelf.put(item(5)))


def ended(job: Job) -> str:
    while job.state in ("waiting", "running"):
        time.sleep(0.01)
    return job.state


def test_jobs_come_one_after_another_and_can_be_stopped() -> None:
    jobs, order = Jobs(), []

    def work(job: Job) -> None:
        order.append(job.number)
        for done in range(200):
            job.progress(done, 200)
            time.sleep(0.01)

    def fails(job: Job) -> None:
        raise UserError("no")

    def breaks(job: Job) -> None:
        raise ZeroDivisionError("a\nb")

    first, waiting = jobs.add("a", "first", work), jobs.add("a", "second", work)
    jobs.stop(waiting.number)
    while not first.done:
        time.sleep(0.01)
    jobs.stop(first.number)
    assert ended(first) == STOPPED
    assert waiting.state == STOPPED
    assert order == [1]
    last = [jobs.add("a", "x", one) for one in (fails, breaks, lambda job: None)]
    assert [ended(job) for job in last] == [FAILED, FAILED, DONE]
    assert [job.message for job in last] == ["no", "ZeroDivisionError: a", ""]
    with pytest.raises(UserError, match="no longer known"):
        jobs.get(77)
