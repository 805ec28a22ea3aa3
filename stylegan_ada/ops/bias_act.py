"""Add a bias, apply an activation, scale, clamp."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import nearest
from .implementation import kernels

# functions of x and of the slope of lrelu
ACTIVATIONS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "linear": lambda x, alpha: x,
    "relu": lambda x, alpha: F.relu(x),
    "lrelu": F.leaky_relu,
    "tanh": lambda x, alpha: torch.tanh(x),
    "sigmoid": lambda x, alpha: torch.sigmoid(x),
    "elu": lambda x, alpha: F.elu(x),
    "selu": lambda x, alpha: F.selu(x),
    "softplus": lambda x, alpha: F.softplus(x),
    "swish": lambda x, alpha: F.silu(x),
}
DEFAULT_GAINS = {"relu": math.sqrt(2), "lrelu": math.sqrt(2), "swish": math.sqrt(2)}  # others 1: keeps the variance


def bias_act(
    x: Tensor,
    b: Tensor | None = None,
    dim: int = 1,
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """clamp(act(x + b) * gain).

    x: any shape. b: [x.shape[dim]], used in x's dtype. act: linear, relu, lrelu, tanh, sigmoid, elu, selu, softplus or
    swish. alpha: slope of lrelu below 0, by default 0.2. gain: by default sqrt(2) for relu, lrelu and swish, else 1.
    clamp: the largest magnitude of the result, if any. Differentiable twice.
    Raises ValueError for an unknown act or a bias of another length.
    """
    if act not in ACTIVATIONS:
        raise ValueError(f"act {act!r} is unknown: {nearest(act, ACTIVATIONS)}")
    if b is not None:
        if b.ndim != 1 or len(b) != x.shape[dim]:
            raise ValueError(f"b must be [{x.shape[dim]}], as dimension {dim} of x, not of shape {list(b.shape)}")
        b = b.to(x.dtype)
    alpha = 0.2 if alpha is None else alpha
    gain = DEFAULT_GAINS.get(act, 1.0) if gain is None else gain
    if not kernels.serve(x):
        return plain_bias_act(x, b, dim, act, alpha, gain, clamp)
    if b is not None and b.device != x.device:
        raise ValueError(f"x is on {x.device} and b on {b.device}: move one of them")
    if b is None and act == "linear" and gain == 1 and clamp is None:
        return x
    from .bias_act_cuda import forward

    return forward(x, b, dim, act, alpha, gain, clamp)


def plain_bias_act(
    x: Tensor, b: Tensor | None, dim: int, act: str, alpha: float, gain: float, clamp: float | None
) -> Tensor:
    """bias_act in plain torch. b of x's dtype."""
    if b is not None:
        shape = [1] * x.ndim
        shape[dim] = -1
        b = b.reshape(shape)
    if act == "lrelu" and gain > 0:
        # it commutes with a positive gain, which then costs nothing beside the bias; in place, as the backward pass
        # needs the sign of the result only
        scaled = _scaled_sum(x, b, gain)
        y = F.leaky_relu(scaled, alpha) if scaled is x or alpha < 0 else F.leaky_relu_(scaled, alpha)
    elif act == "linear":
        y = _scaled_sum(x, b, gain)
    else:
        y = ACTIVATIONS[act](x if b is None else x + b, alpha)
        y = y if gain == 1 else y * gain
    return y if clamp is None else y.clamp(-clamp, clamp)


def _scaled_sum(x: Tensor, b: Tensor | None, gain: float) -> Tensor:
    """(x + b) * gain, in new memory or x itself."""
    if b is None:
        return x if gain == 1 else x * gain
    return torch.add(b * gain, x, alpha=gain)
