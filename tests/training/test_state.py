"""What training begins with follows from the configuration and its seed alone."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from stylegan_ada.config import AugmentConfig
from stylegan_ada.training.state import fresh_state

CPU = torch.device("cpu")


def test_the_seed_decides_the_networks(tiny_config: Callable[..., Any]) -> None:
    first = fresh_state(tiny_config(seed=1), CPU)
    torch.manual_seed(5)
    again, other = fresh_state(tiny_config(seed=1), CPU), fresh_state(tiny_config(seed=2), CPU)
    for network in ("generator", "discriminator"):
        weights = [list(getattr(state, network).parameters()) for state in (first, again, other)]
        assert all(torch.equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
        assert not all(torch.equal(a, b) for a, b in zip(weights[0], weights[2], strict=True))


def test_the_callers_random_numbers_go_on(tiny_config: Callable[..., Any]) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fresh_state(tiny_config(), CPU)
    assert torch.equal(torch.rand(3), expected)


def test_nothing_has_happened_yet(tiny_config: Callable[..., Any]) -> None:
    state = fresh_state(tiny_config(), CPU)
    assert (state.images_seen, state.steps, float(state.path_length_mean)) == (0, 0, 0.0)
    average = state.generator_ema
    assert not average.training
    for kept, trained in zip(average.parameters(), state.generator.parameters(), strict=True):
        assert torch.equal(kept, trained)
        assert kept is not trained
        assert trained.requires_grad
        assert not kept.requires_grad
    assert not state.generator_optimizer.state


@pytest.mark.parametrize(("augment", "p"), [(AugmentConfig(), 0.0), (AugmentConfig(ada_p=0.9, ada_max=0.5), 0.9)])
def test_p_begins_where_it_was_fixed(augment: AugmentConfig, p: float, tiny_config: Callable[..., Any]) -> None:
    """Also above the cap, which is for the controller."""
    config = dataclasses.replace(tiny_config(), augment=augment)
    assert float(fresh_state(config, CPU).controller.p) == pytest.approx(p)


def test_optimizers_make_up_for_steps_of_regularisers(tiny_config: Callable[..., Any]) -> None:
    """Rate times k / (k + 1) where a regulariser runs every k steps (StyleGAN2, appendix B)."""
    state = fresh_state(tiny_config(learning_rate=0.01, r1_interval=3, pl_interval=4), CPU)
    assert state.discriminator_optimizer.param_groups[0]["lr"] == pytest.approx(0.01 * 3 / 4)
    assert state.generator_optimizer.param_groups[0]["lr"] == pytest.approx(0.01 * 4 / 5)
    plain = fresh_state(tiny_config(learning_rate=0.01, gamma=0.0, pl_weight=0.0), CPU)
    for optimizer in (plain.discriminator_optimizer, plain.generator_optimizer):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


def test_the_discriminator_may_learn_faster(tiny_config: Callable[..., Any]) -> None:
    """Its rate is a multiple of the generator's; lazy regularisation every k steps scales each by k / (k + 1)."""
    state = fresh_state(tiny_config(learning_rate=0.002, discriminator_rate=3.0, r1_interval=4, pl_interval=2), CPU)
    rates = [
        optimizer.param_groups[0]["lr"] for optimizer in (state.generator_optimizer, state.discriminator_optimizer)
    ]
    assert rates == pytest.approx([0.002 * 2 / 3, 0.006 * 4 / 5])
