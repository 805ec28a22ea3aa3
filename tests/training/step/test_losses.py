import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from stylegan_ada.config import NetworkConfig
from stylegan_ada.networks import Generator
from stylegan_ada.networks.synthesis import SynthesisNetwork
from stylegan_ada.training.step import losses


def test_logistic_losses_equal_their_definition() -> None:
    logits = torch.randn(100).double() * 5
    x = logits.numpy()
    np.testing.assert_allclose(losses.generator_loss(logits), -np.log(1 / (1 + np.exp(-x))), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        losses.discriminator_loss(logits, real=True), -np.log(1 / (1 + np.exp(-x))), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        losses.discriminator_loss(logits, real=False), -np.log(1 / (1 + np.exp(x))), rtol=1e-9, atol=1e-12
    )


def test_r1_of_a_quadratic() -> None:
    """D(x) = x^T A x / 2 + b^T x has the gradient A x + b."""
    a, b = torch.randn(12, 12).double(), torch.randn(12).double()
    a = a + a.t()
    images = torch.randn(5, 3, 2, 2).double().requires_grad_(True)
    flat = images.flatten(1)
    logits = (flat @ a * flat).sum(1) / 2 + flat @ b
    expected = (flat @ a + b).square().sum(1)
    torch.testing.assert_close(losses.r1_penalty(logits, images), expected)


def four_pixel_generator() -> tuple[SynthesisNetwork, Callable[..., Any]]:
    """A real synthesis network of 4x4 is the smallest; the 4 pixels are a corner of it."""
    network = Generator(NetworkConfig(channels=1, height=4, width=4, z_dim=4, w_dim=4, channel_base=16, channel_max=4))
    synthesis = network.synthesis.double()
    for parameter in synthesis.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)

    def images(ws: Tensor) -> Tensor:
        return synthesis(ws, None)[:, :, :2, :2]

    return synthesis, images


def test_path_lengths_equal_the_explicit_jacobian() -> None:
    _, images = four_pixel_generator()
    ws = torch.randn(3, 2, 4).double().requires_grad_(True)
    y = torch.randn(3, 1, 2, 2).double()
    lengths = losses.path_lengths(images(ws), ws, y)
    for n in range(3):
        explicit = jacobian(lambda one: images(one[None])[0].flatten(), ws[n].detach())  # [4 pixels, layers, w_dim]
        per_layer = [(explicit[:, layer].t() @ y[n].flatten() / math.sqrt(4)).square().sum() for layer in range(2)]
        torch.testing.assert_close(lengths[n], torch.stack(per_layer).mean().sqrt())


def test_path_length_gradient_by_finite_differences() -> None:
    synthesis, images = four_pixel_generator()
    ws = torch.randn(2, 2, 4).double().requires_grad_(True)
    y = torch.randn(2, 1, 2, 2).double()
    mean = torch.tensor(0.3).double()

    def penalty() -> Tensor:
        return losses.path_length_penalty(losses.path_lengths(images(ws), ws, y), mean).sum()

    penalty().backward()
    checked = 0
    for parameter in synthesis.parameters():
        if parameter.grad is None or not parameter.grad.abs().max() > 1e-6:
            continue
        index = int(parameter.grad.abs().argmax())
        gradient, flat = parameter.grad.flatten()[index].item(), parameter.data.view(-1)
        flat[index] += 1e-5
        above = penalty().item()
        flat[index] -= 2e-5
        below = penalty().item()
        flat[index] += 1e-5
        assert math.isclose((above - below) / 2e-5, gradient, rel_tol=1e-5)
        checked += 1
    assert checked >= 4
