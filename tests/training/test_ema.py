import pytest
import torch

from stylegan_ada.config import NetworkConfig
from stylegan_ada.networks import Generator
from stylegan_ada.training.state import ema_beta, update_ema


def test_half_life() -> None:
    """After `ema_kimg` thousand images half of the old average is left."""
    beta = ema_beta(32, 10_000_000, ema_kimg=10, rampup=0.05)
    assert beta ** (10_000 / 32) == pytest.approx(0.5)


def test_rampup_forgets_the_beginning() -> None:
    assert ema_beta(32, 1000, ema_kimg=10, rampup=0.05) == pytest.approx(0.5 ** (32 / 50))
    assert ema_beta(32, 0, ema_kimg=10, rampup=0.05) == 0


def test_average_of_parameters_and_copy_of_buffers() -> None:
    net = NetworkConfig(channels=1, height=4, width=4, z_dim=4, w_dim=4, channel_base=16, channel_max=4)
    average, new = Generator(net), Generator(net)
    before = {name: parameter.clone() for name, parameter in average.named_parameters()}
    new.w_mean += 1
    update_ema(average, new, 0.75)
    for (name, kept), parameter in zip(average.named_parameters(), new.parameters(), strict=True):
        torch.testing.assert_close(kept.data, 0.75 * before[name].data + 0.25 * parameter.data)
    assert torch.equal(average.w_mean, new.w_mean)
