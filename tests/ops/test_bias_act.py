import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan_ada.ops import bias_act

ROOT2 = math.sqrt(2)
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017
# act: (definition on float64 arrays, default gain)
DEFINITIONS = {
    "linear": (lambda x: x, 1),
    "relu": (lambda x: np.maximum(x, 0), ROOT2),
    "lrelu": (lambda x: np.where(x > 0, x, 0.2 * x), ROOT2),
    "tanh": (np.tanh, 1),
    "sigmoid": (scipy.special.expit, 1),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), 1),
    "selu": (lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(x)), 1),
    "softplus": (lambda x: np.logaddexp(x, 0), 1),
    "swish": (lambda x: x * scipy.special.expit(x), ROOT2),
}


@pytest.mark.parametrize("act", DEFINITIONS)
def test_equals_the_definition(
    act: str, rng: np.random.Generator, dtypes: list[torch.dtype], assert_near: Callable[..., Any], implementation: str
) -> None:
    definition, default_gain = DEFINITIONS[act]
    for dtype in dtypes:
        x = torch.tensor(3 * rng.normal(size=(2, 3, 4, 5))).to(dtype)
        b = torch.tensor(rng.normal(size=3)).to(dtype)
        added = x.double().cpu().numpy() + b.double().cpu().numpy()[:, None, None]
        assert_near(bias_act(x, b, act=act), definition(added) * default_gain)
        assert_near(bias_act(x, act=act), definition(x.double().cpu().numpy()) * default_gain)
        assert_near(bias_act(x, b, act=act, gain=0.5), definition(added) * 0.5)
        assert_near(bias_act(x, b, act=act, gain=-0.5), definition(added) * -0.5)
        assert_near(bias_act(x, b, act=act, gain=3.0, clamp=0.75), (definition(added) * 3.0).clip(-0.75, 0.75))
        assert bias_act(x, b, act=act, clamp=1).dtype == dtype


def test_bias_along_any_dimension(
    rng: np.random.Generator, assert_near: Callable[..., Any], implementation: str
) -> None:
    x = rng.normal(size=(4, 5, 6))
    for dim in range(-3, 3):
        b = rng.normal(size=x.shape[dim])
        expected = np.moveaxis(np.moveaxis(x, dim, -1) + b, -1, dim)
        assert_near(bias_act(torch.tensor(x), torch.tensor(b), dim=dim), expected)
    flat = rng.normal(size=(3, 7))
    assert_near(bias_act(torch.tensor(flat), torch.ones(7)), flat + 1)


def test_alpha_is_the_slope_of_lrelu(implementation: str) -> None:
    x = torch.tensor([[-2.0, 3.0]])
    torch.testing.assert_close(bias_act(x, act="lrelu", alpha=0.1, gain=1), torch.tensor([[-0.2, 3.0]]))


def test_input_is_left_alone(implementation: str) -> None:
    x, b = torch.randn(2, 3, 4, 4), torch.randn(3)
    before_x, before_b = x.clone(), b.clone()
    for act in DEFINITIONS:
        bias_act(x, act=act, clamp=0.1)
        bias_act(x, b, act=act, gain=1, clamp=0.1)
    assert torch.equal(x, before_x)
    assert torch.equal(b, before_b)


def test_memory_format_is_kept(implementation: str) -> None:
    x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    for act in DEFINITIONS:
        assert bias_act(x, torch.randn(3), act=act).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("clamp", [None, 0.8])
@pytest.mark.parametrize("act", DEFINITIONS)
def test_gradients(act: str, clamp: float | None, implementation: str) -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    b = torch.randn(3, dtype=torch.float64, requires_grad=True)

    def function(x: Tensor, b: Tensor) -> Tensor:
        return bias_act(x, b, act=act, clamp=clamp).square()

    assert gradcheck(function, (x, b))
    assert gradgradcheck(function, (x, b))


@pytest.mark.parametrize(("act", "alpha", "gain"), [("relu", None, -1.5), ("lrelu", None, -1.5), ("lrelu", -0.3, 2.0)])
def test_gradients_where_the_result_has_another_sign(
    act: str, alpha: float | None, gain: float, implementation: str
) -> None:
    x = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    b = torch.randn(3, dtype=torch.float64, requires_grad=True)

    def function(x: Tensor, b: Tensor) -> Tensor:
        return bias_act(x, b, act=act, alpha=alpha, gain=gain, clamp=0.8).square()

    assert gradcheck(function, (x, b))
    assert gradgradcheck(function, (x, b))


def test_exceptions() -> None:
    with pytest.raises(ValueError, match="did you mean 'lrelu'"):
        bias_act(torch.zeros(1, 2), act="lrlu")
    with pytest.raises(ValueError, match=r"b must be \[2\]"):
        bias_act(torch.zeros(1, 2), torch.zeros(3))
    with pytest.raises(ValueError, match=r"b must be \[2\]"):
        bias_act(torch.zeros(1, 2), torch.zeros(1, 2))
