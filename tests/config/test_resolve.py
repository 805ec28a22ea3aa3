from typing import Any

import pytest

from stylegan_ada.config.data import parse_size
from stylegan_ada.config.options import TrainOptions
from stylegan_ada.config.presets import with_preset
from stylegan_ada.config.resolve import Facts, Machine, resolve
from stylegan_ada.errors import UserError

CPU, GPU, OLD_GPU = Machine(cuda=False), Machine(cuda=True, bf16=True), Machine(cuda=True, bf16=False)


def facts(side: int = 64, count: int = 3000) -> Facts:
    return Facts(image_shape=(1, side, side), classes=("a", "b"), count=count, fingerprint="f")


def test_every_choice_is_explained_and_none_that_was_given() -> None:
    config, reasons = resolve(TrainOptions(data="x"), facts(), CPU)
    assert {line.split()[0] for line in reasons} == {
        "`batch`", "`channel_base`", "`channel_max`", "`precision`", "`label_head`", "`label_depth`",
        "`kimg`", "`gamma`", "`ema_kimg`", "`evaluate_kimg`",
    }  # fmt: skip
    assert all(": " in line for line in reasons)
    given = TrainOptions(
        data="x", batch=4, channel_base=512, channel_max=32, precision="bf16", kimg=3, gamma=1, ema_kimg=2,
        evaluate_kimg=0.5, transition="none", label_head="inner", label_depth=2,
    )  # fmt: skip
    config, reasons = resolve(given, facts(), CPU)
    assert reasons == []
    training = config.training
    assert (training.batch, training.kimg, training.gamma, training.ema_kimg) == (4, 3, 1, 2)
    assert (config.network.channel_base, config.network.channel_max, config.network.precision) == (512, 32, "bf16")


def test_the_device_decides() -> None:
    assert resolve(TrainOptions(data="x"), facts(), CPU)[0].network.precision == "fp32"
    assert resolve(TrainOptions(data="x"), facts(), GPU)[0].network.precision == "bf16"
    assert resolve(TrainOptions(data="x"), facts(), OLD_GPU)[0].network.precision == "fp16"


def test_the_set_decides() -> None:
    assert resolve(TrainOptions(data="x"), facts(count=3000), GPU)[0].training.kimg == 3000
    assert resolve(TrainOptions(data="x"), facts(count=200), GPU)[0].training.kimg == 1000
    assert resolve(TrainOptions(data="x"), facts(count=10**6), GPU)[0].training.kimg == 25000


def test_the_size_decides() -> None:
    batches = [resolve(TrainOptions(data="x"), facts(side), GPU)[0].training.batch for side in (64, 512, 1024)]
    assert batches == [32, 16, 8]


def test_gamma_is_the_paper_s_formula() -> None:
    config, _ = resolve(TrainOptions(data="x", batch=16), facts(128), CPU)
    assert config.training.gamma == pytest.approx(0.0002 * 128 * 128 / 16)


def test_target_follows_the_signal() -> None:
    assert resolve(TrainOptions(data="x"), facts(), CPU)[0].augment.ada_target == 0.6
    held = TrainOptions(data="x", ada_signal="rv", holdout=0.1)
    assert resolve(held, facts(), CPU)[0].augment.ada_target == 0.5


def test_preset_gives_way_to_what_was_given() -> None:
    config, _ = resolve(with_preset(TrainOptions(data="x", preset="demo", batch=8)), facts(32), CPU)
    assert config.training.batch == 8
    assert config.network.channel_base == 2048


@pytest.mark.parametrize(("given", "window"), [("none", None), ("10,20", (10, 20)), ("2.5, 2.5", (2.5, 2.5))])
def test_transition(given: str, window: tuple[Any, ...] | None) -> None:
    config, reasons = resolve(TrainOptions(data="x", transition=given), facts(), CPU)
    assert config.training.transition == window
    assert config.network.transitional == (window is not None)
    assert not any("transition" in reason for reason in reasons)


@pytest.mark.parametrize("given", ["10", "a,b", "1,2,3", "", "20,10", "-1,2", "nan,2"])
def test_bad_transitions(given: str) -> None:
    with pytest.raises(UserError, match=r"`transition` .*: give"):
        resolve(TrainOptions(data="x", transition=given), facts(), CPU)


def test_without_labels_there_is_no_transition() -> None:
    nothing = Facts(image_shape=(1, 64, 64), classes=(), count=3000, fingerprint="f")
    assert resolve(TrainOptions(data="x"), nothing, CPU)[0].training.transition is None
    with pytest.raises(UserError, match="no labels to blend in"):
        resolve(TrainOptions(data="x", transition="1,2"), nothing, CPU)


def test_augment_none() -> None:
    assert resolve(TrainOptions(data="x", augment="none"), facts(), CPU)[0].augment.augment == ()


@pytest.mark.parametrize(("text", "size"), [("64", (64, 64)), ("64x96", (64, 96)), (None, None)])
def test_sizes(text: str | None, size: tuple[int, int] | None) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "64x", "-4", "64x64x3", "0", "6.5"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(UserError, match="give a side"):
        parse_size(text)
