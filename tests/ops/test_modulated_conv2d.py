from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan_ada.ops import conv2d_resample, modulated_conv2d, setup_filter

FILTER = setup_filter([1, 3, 3, 1])


def oracle(
    x: Tensor, weight: Tensor, styles: Tensor, demodulate: bool, noise: Tensor | None = None, **arguments: int
) -> np.ndarray:
    """Equations 1 to 3 as they are written: weights of its own for each sample. In float64."""
    x, weight, styles = x.double(), weight.double(), styles.double()
    outputs = []
    for n in range(len(x)):
        w = np.zeros(weight.shape)
        for i in range(w.shape[1]):
            w[:, i] = float(styles[n, i]) * weight[:, i].numpy()
        if demodulate:
            for j in range(w.shape[0]):
                w[j] = w[j] / np.sqrt((w[j] ** 2).sum() + 1e-8)
        outputs.append(conv2d_resample(x[n : n + 1], torch.tensor(w), FILTER, **arguments))
    y = torch.cat(outputs)
    return (y if noise is None else y + noise.double()).numpy()


@pytest.mark.parametrize("demodulate", [False, True])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2)])
def test_equals_weights_per_sample(
    up: int, down: int, k: int, demodulate: bool, dtypes: list[torch.dtype], assert_near: Callable[..., Any]
) -> None:
    torch.manual_seed(3)
    arguments = {"up": up, "down": down, "padding": k // 2}
    for dtype in dtypes:
        x, weight, styles = torch.randn(3, 8, 4, 6).to(dtype), torch.randn(5, 8, k, k), torch.randn(3, 8) + 1
        if dtype == torch.float64:
            weight, styles = weight.double(), styles.double()
        for noise in [
            None,
            torch.randn(3, 1, 4 * up // down, 6 * up // down),
            torch.randn(4 * up // down, 6 * up // down),
        ]:
            y = modulated_conv2d(
                x, weight, styles, noise=noise, demodulate=demodulate, resample_filter=FILTER, **arguments
            )
            assert y.dtype == dtype
            assert_near(y, oracle(x, weight, styles, demodulate, noise, **arguments), factor=2)


@pytest.mark.parametrize("flip_weight", [False, True])
def test_flip_weight(flip_weight: bool, assert_near: Callable[..., Any]) -> None:
    torch.manual_seed(3)
    x, weight, styles = torch.randn(2, 3, 4, 4).double(), torch.randn(2, 3, 3, 3).double(), torch.randn(2, 3).double()
    for up in [1, 2]:
        y = modulated_conv2d(x, weight, styles, up=up, padding=1, resample_filter=FILTER, flip_weight=flip_weight)
        assert_near(y, oracle(x, weight, styles, True, up=up, padding=1, flip_weight=flip_weight))


def test_output_does_not_depend_on_the_scale_of_the_styles() -> None:
    torch.manual_seed(4)
    x, weight, styles = torch.randn(2, 8, 5, 5), torch.randn(4, 8, 3, 3), torch.randn(2, 8)
    a = modulated_conv2d(x, weight, styles, padding=1)
    b = modulated_conv2d(x, weight, styles * 1000, padding=1)
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_unit_variance_in_gives_unit_variance_out() -> None:
    torch.manual_seed(5)
    y = modulated_conv2d(torch.randn(4, 64, 32, 32), torch.randn(32, 64, 3, 3), torch.rand(4, 64) + 0.5)
    torch.testing.assert_close(y.std([0, 2, 3]), torch.ones(32), rtol=0.05, atol=0.05)


def test_float16_does_not_overflow_and_keeps_its_gradients(assert_near: Callable[..., Any]) -> None:
    torch.manual_seed(6)
    x = (100 * torch.randn(2, 64, 6, 6)).half()
    weight, styles = torch.randn(8, 64, 3, 3) * 30, torch.randn(2, 64) * 400
    expected = oracle(x, weight, styles, True, padding=1)
    leaves = [x.requires_grad_(), weight.requires_grad_(), styles.requires_grad_()]
    y = modulated_conv2d(*leaves, padding=1)
    assert_near(y, expected)
    direction = torch.randn(y.shape) / 100
    halves = torch.autograd.grad(y, leaves, direction.half())
    doubles = [leaf.detach().double().requires_grad_() for leaf in leaves]
    wanted = torch.autograd.grad(modulated_conv2d(*doubles, padding=1), doubles, direction.double())
    for half, want in zip(halves, wanted, strict=True):
        assert float((half - want).abs().max() / want.abs().max()) < 0.01


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_styles_and_weights_of_zero_give_zero(dtype: torch.dtype) -> None:
    y = modulated_conv2d(torch.randn(1, 3, 4, 4).to(dtype), torch.zeros(2, 3, 1, 1), torch.zeros(1, 3))
    assert torch.equal(y, torch.zeros(1, 2, 4, 4, dtype=dtype))


@pytest.mark.parametrize("demodulate", [False, True])
@pytest.mark.parametrize(("up", "k"), [(1, 3), (2, 3), (1, 1)])
def test_gradients(up: int, k: int, demodulate: bool) -> None:
    torch.manual_seed(7)
    shapes = [(2, 2, 2, 2), (2, 2, k, k), (2, 2), (2, 1, 2 * up, 2 * up)]
    leaves = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]

    def function(x: Tensor, weight: Tensor, styles: Tensor, noise: Tensor) -> Tensor:
        return modulated_conv2d(
            x, weight, styles, noise=noise, up=up, padding=k // 2, resample_filter=FILTER, demodulate=demodulate
        )

    assert gradcheck(function, leaves)
    assert gradgradcheck(function, leaves)


@pytest.mark.parametrize(
    ("x", "weight", "styles", "message"),
    [((2, 3, 4), (5, 3, 1, 1), (2, 3), "x "), ((2, 3, 4, 4), (5, 2, 1, 1), (2, 3), "weight"),
     ((2, 3, 4, 4), (5, 3), (2, 3), "weight"), ((2, 3, 4, 4), (5, 3, 1, 1), (2, 5), "styles must"),
     ((2, 3, 4, 4), (5, 3, 1, 1), (3,), "styles must")],
)  # fmt: skip
def test_exceptions(x: tuple[Any, ...], weight: tuple[Any, ...], styles: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        modulated_conv2d(torch.zeros(x), torch.zeros(weight), torch.zeros(styles))
