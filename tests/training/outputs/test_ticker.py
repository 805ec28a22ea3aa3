"""The row, the line and the warnings of a tick, and the error of a figure that is no number."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada.augment import AdaController
from stylegan_ada.config import AugmentConfig
from stylegan_ada.errors import RunFailed
from stylegan_ada.training import RunFolder
from stylegan_ada.training.outputs.log import Log
from stylegan_ada.training.outputs.ticker import CapWatch, Ticker, log_row

MEANS = {"logits_fake": -1.0, "logits_real": 3.0, "loss_D": 0.5, "loss_G": 1.5, "r_t": 0.25}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_row_of_the_log() -> None:
    assert log_row(2500, 0.5, 1.23456, MEANS) == {
        "images": 2500, "kimg": 2.5, "sec_per_kimg": 1.2346, "p": 0.5, **MEANS
    }  # fmt: skip


def test_r_v_is_the_share_of_the_way_from_generated_to_real_that_held_out_images_fall_short() -> None:
    """(3 - 2) of (3 - -1)."""
    assert log_row(8, 0.0, 1.0, MEANS | {"logits_holdout": 2.0})["r_v"] == pytest.approx(0.25)
    assert "r_v" not in log_row(8, 0.0, 1.0, MEANS | {"logits_holdout": 2.0, "logits_fake": 3.0})


def test_the_first_process_logs_and_prints(folder: RunFolder, tiny_config: Callable[..., Any]) -> None:
    lines = []
    log = Log(folder, 0)
    row = Ticker(tiny_config(kimg=10.0), folder, log, lines.append).tick(2500, 0.5, 2.0, MEANS, {})
    log.close()
    assert folder.read_log() == [row]
    assert lines == ["     2.5 kimg | 2.00 s/kimg | ETA 0:00:15 | p 0.500 | r_t +0.25 | G 1.500 | D 0.500"]


def test_the_others_do_neither(folder: RunFolder, tiny_config: Callable[..., Any]) -> None:
    lines = []
    row = Ticker(tiny_config(), folder, None, lines.append).tick(2500, 0.5, 2.0, MEANS | {"loss_G": 800.0}, {})
    assert row["kimg"] == 2.5
    assert lines == []
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kept", [(), (100, 200)])
def test_no_number_ends_the_run_and_the_last_good_checkpoint_is_named(
    value: float, kept: tuple[Any, ...], folder: RunFolder, tiny_config: Callable[..., Any]
) -> None:
    for images in kept:
        folder.checkpoint_file(images).touch()
    lines = []
    ticker = Ticker(tiny_config(), folder, None, lines.append)
    last = "checkpoint-0000000200.pt" if kept else "none"
    expected = (
        f"{folder.path}: loss_D became {value} near 2.5 kimg; the last good checkpoint is {last}; start anew with "
    )
    with pytest.raises(RunFailed) as error:
        ticker.tick(2500, 0.5, 2.0, MEANS | {"loss_D": value}, {})
    assert str(error.value).startswith(expected)
    assert lines == []


@pytest.mark.parametrize(("loss", "warned"), [(50.0, False), (50.1, True), (800.0, True)])
def test_a_loss_beyond_all_bounds_is_warned_of(
    loss: float, warned: bool, folder: RunFolder, tiny_config: Callable[..., Any]
) -> None:
    lines = []
    log = Log(folder, 0)
    Ticker(tiny_config(), folder, log, lines.append).tick(8, 0.0, 1.0, MEANS | {"loss_G": loss}, {})
    log.close()
    assert any("has diverged" in line for line in lines) is warned


def warned_at(watch: CapWatch, path: list[tuple[int, float]]) -> list[Any]:
    """The moments (kimg) of a path of p at which there was a warning."""
    return [kimg for kimg, p in path if watch.warning(kimg, p) is not None]


def test_p_at_its_cap_is_warned_of_once_after_20_kimg() -> None:
    watch = CapWatch(AugmentConfig(ada_max=0.6))
    assert warned_at(watch, [(kimg, 0.6) for kimg in range(4, 100, 4)]) == [24]


@pytest.mark.parametrize("cap", [hundredth / 100 for hundredth in range(1, 101)])
def test_p_of_the_controller_comes_to_any_cap(cap: float) -> None:
    """The controller counts in float32, in which 0.7 is less than 0.7."""
    controller = AdaController(target=-0.5, kimg=0.001, cap=cap, device="cpu")
    controller.observe_signs(torch.ones(4))
    controller.update(4)
    assert warned_at(CapWatch(AugmentConfig(ada_max=cap)), [(kimg, float(controller.p)) for kimg in (0, 20)]) == [20]


def test_only_p_that_stays_at_its_cap_is_warned_of() -> None:
    watch = CapWatch(AugmentConfig(ada_max=0.6))
    dip = {16.0, 60.0}
    path = [(float(kimg), 0.59 if kimg in dip else 0.6) for kimg in range(0, 100, 4)]
    assert warned_at(watch, path) == [40.0, 84.0]  # 20 kimg after 20, and anew 20 after 64


def test_a_p_that_the_user_fixed_is_not_warned_of() -> None:
    assert warned_at(CapWatch(AugmentConfig(ada_p=0.9)), [(kimg, 0.9) for kimg in range(0, 100, 4)]) == []


def test_the_ticker_says_the_warning(folder: RunFolder, tiny_config: Callable[..., Any]) -> None:
    config = dataclasses.replace(tiny_config(kimg=100.0), augment=AugmentConfig(ada_max=0.6))
    lines = []
    log = Log(folder, 0)
    ticker = Ticker(config, folder, log, lines.append)
    for images in range(0, 60_000, 10_000):
        ticker.tick(images, 0.6, 1.0, MEANS, {})
    log.close()
    places = [index for index, line in enumerate(lines) if "p has stayed at its cap of 0.6" in line]
    assert places == [3]  # after the lines of 0, 10 and 20 kimg
