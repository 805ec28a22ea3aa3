import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan_ada.augment.grid_sample import grid_sample


@pytest.fixture
def inputs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 4, 5, dtype=torch.float64, generator=generator).requires_grad_()
    grid = 2.6 * torch.rand(2, 3, 2, 2, dtype=torch.float64, generator=generator) - 1.3
    return images, grid


def test_value_and_gradient_are_torchs(inputs: tuple[Tensor, Tensor]) -> None:
    images, grid = inputs
    ours = grid_sample(images, grid)
    theirs = F.grid_sample(images, grid, padding_mode="border", align_corners=True)
    torch.testing.assert_close(ours, theirs)
    weights = torch.randn_like(ours)
    (gradient,) = torch.autograd.grad((ours * weights).sum(), images)
    (expected,) = torch.autograd.grad((theirs * weights).sum(), images)
    torch.testing.assert_close(gradient, expected)


def test_derivatives_to_the_third(inputs: tuple[Tensor, Tensor]) -> None:
    images, grid = inputs

    def cubed(x: Tensor) -> Tensor:
        return grid_sample(x, grid) ** 3

    assert gradcheck(cubed, images)
    assert gradgradcheck(cubed, images)

    def gradient(x: Tensor) -> Tensor:
        return torch.autograd.grad(cubed(x).sum(), x, create_graph=True)[0]

    assert gradgradcheck(gradient, images)
