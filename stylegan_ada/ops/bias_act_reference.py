"""bias_act in plain torch: what serves without a kernel, and what the kernels are held against."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

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
