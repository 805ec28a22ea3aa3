"""NaN and infinite numbers, planted where they may arise: a run ends with its last good checkpoint, or goes on."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.errors import RunFailed
from stylegan_ada.training import RunFolder, Trainer
from stylegan_ada.training.checkpoints import first_not_finite

GOOD, STEP = 16, 8  # images of the run before, and of a step
NAN = float("nan")


@pytest.fixture
def started(dataset: ImageDataset, tiny_config: Callable[..., Any], tmp_path: Path) -> Callable[..., Trainer]:
    """Of a run that has a checkpoint; with a tick every four steps, it measures R1 and path lengths in every step."""

    def start(precision: str) -> Trainer:
        def trainer(kimg: float) -> Trainer:
            config = tiny_config(kimg=kimg, tick_kimg=0.032, r1_interval=1, pl_interval=1)
            config = dataclasses.replace(config, network=dataclasses.replace(config.network, precision=precision))
            return Trainer(config, dataset, RunFolder(tmp_path), torch.device("cpu"), [].append)

        trainer(GOOD / 1000).train(lambda: False)
        return trainer(0.08)

    return start


@pytest.fixture
def trainer(started: Callable[..., Trainer]) -> Trainer:
    return started("fp32")


def at_step(trainer: Trainer, chosen: int, action: Callable[[], Any]) -> Callable[[], bool]:
    """Asked after every step, it acts once, when so many steps of this process are done."""

    def should_stop() -> bool:
        if trainer.state.images_seen == GOOD + chosen * STEP:
            action()
        return False

    return should_stop


def check_end(trainer: Trainer, words: str, should_stop: Callable[[], bool], latest: int) -> None:
    """The run ends with such words at that many images or before, and its newest checkpoint is the good one."""
    before = trainer.folder.checkpoint_file(GOOD).read_bytes()
    with pytest.raises(RunFailed, match=words) as error:
        trainer.train(should_stop)
    assert "the last good checkpoint is checkpoint-0000000016.pt; start anew with `precision` fp32" in str(error.value)
    assert trainer.state.images_seen <= latest
    assert trainer.folder.checkpoints() == [trainer.folder.checkpoint_file(GOOD)]
    assert trainer.folder.checkpoint_file(GOOD).read_bytes() == before


def test_a_weight(trainer: Trainer) -> None:
    def plant() -> None:
        trainer.state.discriminator.out.weight.data.fill_(NAN)

    check_end(trainer, "logits_fake became nan", at_step(trainer, 1, plant), latest=GOOD + 4 * STEP)


def test_an_overflow_in_bf16(started: Callable[..., Trainer]) -> None:
    """Products of two such weights are infinite in 8 bits of exponent."""
    trainer = started("bf16")

    def plant() -> None:
        for block in trainer.state.discriminator.blocks:
            block.conv0.weight.data.fill_(3e38)

    check_end(trainer, "became nan", at_step(trainer, 1, plant), latest=GOOD + 4 * STEP)


def test_the_state_of_an_optimiser(trainer: Trainer) -> None:
    def plant() -> None:
        parameter = trainer.state.generator.synthesis.blocks[0].layers[0].weight
        trainer.state.generator_optimizer.state[parameter]["exp_avg_sq"].fill_(NAN)

    check_end(trainer, "became nan", at_step(trainer, 1, plant), latest=GOOD + 4 * STEP)


def test_a_state_broken_by_the_step_before_a_checkpoint(trainer: Trainer) -> None:
    """No mean of that tick shows it."""

    def plant() -> None:
        trainer.state.generator_ema.w_mean.fill_(NAN)

    check_end(trainer, "generator_ema.w_mean became NaN", at_step(trainer, 8, plant), latest=GOOD + 8 * STEP)


@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_gradients_of_every_step(value: float, trainer: Trainer) -> None:
    weight = trainer.state.generator.mapping.layers[0].weight
    weight.requires_grad_(True).register_hook(lambda gradient: gradient * value)
    words = "the last 6 gradients of G held NaN or infinite numbers near 0.1 kimg"
    check_end(trainer, words, lambda: False, latest=GOOD + 6 * STEP)


def test_a_single_gradient_is_left_out_and_counted(trainer: Trainer) -> None:
    lines = trainer.say.__self__
    planted = []

    def once(gradient: torch.Tensor) -> torch.Tensor:
        if planted or trainer.state.images_seen < GOOD + 3 * STEP:
            return gradient
        planted.append(gradient)
        return gradient * NAN

    weight = trainer.state.discriminator.out.weight
    weight.requires_grad_(True).register_hook(once)
    assert trainer.train(lambda: False)
    rows = trainer.folder.read_log()
    assert sum(row["scrubbed_gradients"] for row in rows) == 1
    assert "warning: 1 of 16 gradients held NaN or infinite numbers, now 0 or 1e5" in lines
    assert first_not_finite(trainer.state.as_dict()) is None
