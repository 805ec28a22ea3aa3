"""The centre of truncation where labels are attributes: least squares of w on label vectors."""

import numpy as np
import torch

from stylegan_ada.config import NetworkConfig
from stylegan_ada.networks import Generator

NET = {"channels": 1, "height": 8, "width": 8, "z_dim": 8, "w_dim": 6, "channel_base": 64, "channel_max": 8}


def drawn(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Label vectors of a category of three and a number, and w that depend on both."""
    draws = torch.Generator().manual_seed(seed)
    kinds, number = torch.randint(3, (n,), generator=draws), torch.randn(n, generator=draws)
    c = torch.cat([torch.eye(3)[kinds], number[:, None], torch.ones(n, 1)], dim=1)
    truth = torch.randn(5, 6, generator=torch.Generator().manual_seed(9))
    return c, c @ truth + 0.1 * torch.randn(n, 6, generator=draws)


def test_centre_is_the_least_squares_prediction() -> None:
    generator = Generator(NetworkConfig(**NET, c_dim=5, attributes=True))
    c, w = drawn(3000, 0)
    for part in range(0, 3000, 100):
        generator.update_w_mean(generator.w_statistics(w[part : part + 100], c[part : part + 100]), 0.999)
    other, _ = drawn(50, 1)
    expected, *_ = np.linalg.lstsq(c.double().numpy(), w.double().numpy(), rcond=None)
    centre = generator.truncate(torch.zeros(50, 6), other, 0.0)
    np.testing.assert_allclose(centre, other.double().numpy() @ expected, atol=5e-3)
    assert generator.w_count[-1] == 3000


def test_centre_forgets_what_is_long_ago() -> None:
    generator = Generator(NetworkConfig(**NET, c_dim=5, attributes=True))
    c, w = drawn(400, 0)
    for _ in range(5):
        generator.update_w_mean(generator.w_statistics(w + 7, c), 0.5)
    for _ in range(20):
        generator.update_w_mean(generator.w_statistics(w, c), 0.5)
    centre = generator.truncate(torch.zeros(400, 6), c, 0.0)
    assert float((centre - w).mean().abs()) < 1e-3


def test_a_combination_never_met_has_a_centre() -> None:
    """Two categories of two, of which one pair is left out."""
    generator = Generator(NetworkConfig(**NET, c_dim=4, attributes=True))
    pairs = torch.tensor([[1.0, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0]]).repeat(200, 1)
    effects = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    generator.update_w_mean(generator.w_statistics(pairs @ effects, pairs), 0.9)
    left_out = torch.tensor([[0.0, 1, 0, 1]])
    torch.testing.assert_close(
        generator.truncate(torch.zeros(1, 6), left_out, 0.0), left_out @ effects, atol=0.01, rtol=0
    )
