"""Add a bias, apply an activation, scale, clamp."""

import math

from torch import Tensor

from ..errors import nearest
from .bias_act_cuda import forward
from .bias_act_reference import ACTIVATIONS, plain_bias_act
from .implementation import kernels

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
    return forward(x, b, dim, act, alpha, gain, clamp)
