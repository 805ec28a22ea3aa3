"""bias_act as one kernel, with first and second derivatives.

Three operators, each linear in the gradients it takes:
forward f(x + b), first g * f'(x + b), second h * g * f''(x + b).
"""

import functools
from collections.abc import Callable
from ctypes import c_double, c_float, c_uint32, c_uint64
from math import inf
from typing import Any

import torch
from torch import Tensor

from . import nvrtc
from .bias_act_reference import plain_bias_act
from .implementation import kernels
from .layout import dense
from .operator import Operator, wanted

PIECEWISE = ("linear", "relu", "lrelu")
PACK_BYTES = 16
THREADS = 256  # of a block
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017, arXiv 1706.02515


def _forward(x: Tensor, b: Tensor | None, dim: int, act: str, alpha: float, gain: float, clamp: float | None) -> Tensor:
    """clamp(act(x + b) * gain). b [x.shape[dim]] of x's dtype."""
    x = dense(x)
    out = torch.empty_like(x)
    if _run(0, out, x, b, None, None, dim, act, alpha, gain, clamp):
        return out
    return plain_bias_act(x, b, dim, act, alpha, gain, clamp)


def _first(
    g: Tensor, saved: Tensor, b: Tensor | None, dim: int, act: str, alpha: float, gain: float, clamp: float | None
) -> Tensor:
    """g times the derivative. saved: the result of a piecewise linear act, x of another."""
    saved = dense(saved)
    g = like(g, saved)
    out = torch.empty_like(saved)
    if _run(1, out, saved, b, g, None, dim, act, alpha, gain, clamp):
        return out
    return g * _plain_slope(1, saved, b, dim, act, alpha, gain, clamp)


def _second(
    h: Tensor,
    g: Tensor,
    x: Tensor,
    b: Tensor | None,
    dim: int,
    act: str,
    alpha: float,
    gain: float,
    clamp: float | None,
) -> Tensor:
    """h * g times the second derivative, of an act that is not piecewise linear."""
    x = dense(x)
    h, g = like(h, x), like(g, x)
    out = torch.empty_like(x)
    if _run(2, out, x, b, g, h, dim, act, alpha, gain, clamp):
        return out
    return h * g * _plain_slope(2, x, b, dim, act, alpha, gain, clamp)


def piecewise(act: str, alpha: float) -> bool:
    """Whether the result's sign alone tells the derivative: then the result, which the next layer keeps anyway, is all
    that the backward pass needs. Not so if a negative slope folds two signs into one."""
    return act in PIECEWISE and not (act == "lrelu" and alpha < 0)


@functools.cache
def _stored(clamp: float | None, dtype: torch.dtype) -> float | None:
    """clamp as a result of this dtype has it, so that a result that is clamped can be told from one that is not."""
    return None if clamp is None else torch.tensor(clamp, dtype=dtype, device="cpu").item()


def _plain_slope(
    order: int, saved: Tensor, b: Tensor | None, dim: int, act: str, alpha: float, gain: float, clamp: float | None
) -> Tensor:
    """gain * act' or gain * act'' in plain torch, for when a kernel fails. (torch's own derivatives cannot be had here,
    below autograd.)"""
    clamp = _stored(clamp, saved.dtype)
    if piecewise(act, alpha):
        u, inside = saved * gain, None if clamp is None else saved.abs() < clamp
    else:
        u = plain_bias_act(saved, b, dim, "linear", alpha, 1, None)
        inside = None if clamp is None else plain_bias_act(u, None, dim, act, alpha, gain, None).abs() <= clamp
    slope = DERIVATIVES[act](u, alpha)[order - 1] * gain
    return slope if inside is None else torch.where(inside, slope, 0)


def _of_sigmoid(s: Tensor) -> tuple[Tensor, Tensor]:
    return s * (1 - s), s * (1 - s) * (1 - 2 * s)


def _of_swish(u: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    return s * (1 + u * (1 - s)), s * (1 - s) * (2 + u * (1 - 2 * s))


def _of_exponential(u: Tensor, above: float, below: float) -> tuple[Tensor, Tensor]:
    falling = below * u.clamp(max=0).exp()
    return torch.where(u > 0, above, falling), torch.where(u > 0, 0, falling)


# first and second derivatives, of u and the slope of lrelu
DERIVATIVES: dict[str, Callable[[Tensor, float], tuple[Tensor, Tensor]]] = {
    "linear": lambda u, alpha: (torch.ones_like(u), torch.zeros_like(u)),
    "relu": lambda u, alpha: ((u > 0).to(u.dtype), torch.zeros_like(u)),
    "lrelu": lambda u, alpha: (torch.where(u > 0, 1, alpha).to(u.dtype), torch.zeros_like(u)),
    "tanh": lambda u, alpha: (1 - u.tanh() ** 2, -2 * u.tanh() * (1 - u.tanh() ** 2)),
    "sigmoid": lambda u, alpha: _of_sigmoid(u.sigmoid()),
    "elu": lambda u, alpha: _of_exponential(u, 1.0, 1.0),
    "selu": lambda u, alpha: _of_exponential(u, SELU_SCALE, SELU_SCALE * SELU_ALPHA),
    "softplus": lambda u, alpha: (u.sigmoid(), _of_sigmoid(u.sigmoid())[0]),
    "swish": lambda u, alpha: _of_swish(u, u.sigmoid()),
}


def like(g: Tensor, x: Tensor) -> Tensor:
    """g in the memory layout of x."""
    return g if g.stride() == x.stride() else torch.empty_like(x).copy_(g)


def _along(dim: int, gradient: Tensor) -> Tensor:
    """The bias's gradient from x's."""
    others = [other for other in range(gradient.ndim) if other != dim % gradient.ndim]
    return gradient.sum(others) if others else gradient  # to torch, no dimension is all of them


def _keep_forward(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, b, *ctx.arguments = inputs
    _, act, alpha, _, clamp = ctx.arguments
    if act == "linear" and clamp is None:
        ctx.save_for_backward(None, None)
    elif piecewise(act, alpha):
        ctx.save_for_backward(output, None)
    else:
        ctx.save_for_backward(x, b)


def _forward_backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
    saved, b = ctx.saved_tensors
    dim, act, alpha, gain, _ = ctx.arguments
    if saved is None:
        x_gradient = g if gain == 1 else g * gain
    else:
        # of a result only signs are taken, which nothing can be derived from
        x_gradient = first(g, saved.detach() if piecewise(act, alpha) else saved, b, *ctx.arguments)
    b_gradient = _along(dim, x_gradient) if wanted(ctx, 1) else None
    return x_gradient, b_gradient, None, None, None, None, None


def _keep_first(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    g, saved, b, *ctx.arguments = inputs
    ctx.save_for_backward(g, saved, b)


def _first_backward(ctx: Any, h: Tensor) -> tuple[Tensor | None, ...]:
    g, saved, b = ctx.saved_tensors
    dim, act, alpha = ctx.arguments[:3]
    g_gradient = first(h, saved, b, *ctx.arguments) if wanted(ctx, 0) else None
    x_gradient = b_gradient = None
    if not piecewise(act, alpha) and (wanted(ctx, 1) or wanted(ctx, 2)):
        x_gradient = second(h, g, saved, b, *ctx.arguments)
        b_gradient = _along(dim, x_gradient) if wanted(ctx, 2) else None
    return g_gradient, x_gradient, b_gradient, None, None, None, None, None


forward = Operator("bias_act", _forward, lambda x, *_: torch.empty_like(dense(x)), _keep_forward, _forward_backward)
first = Operator(
    "bias_act_first", _first, lambda g, saved, *_: torch.empty_like(dense(saved)), _keep_first, _first_backward
)
second = Operator("bias_act_second", _second, lambda h, g, x, *_: torch.empty_like(dense(x)))


def _run(
    order: int,
    out: Tensor,
    saved: Tensor,
    b: Tensor | None,
    g: Tensor | None,
    h: Tensor | None,
    dim: int,
    act: str,
    alpha: float,
    gain: float,
    clamp: float | None,
) -> bool:
    """Whether a kernel fills `out`."""
    if out.numel() == 0:
        return True
    clamp = _stored(clamp, out.dtype)
    if order > 0 and piecewise(act, alpha):
        b = None  # the result holds it
    b = None if b is None else b.contiguous()
    inner, channels = max(out.stride(dim), 1), out.shape[dim]
    vec = _pack([x for x in (out, saved, g, h) if x is not None], b, inner, channels)
    large = out.numel() > 2**31
    constants = (
        ("VEC", vec),
        ("ORDER", order),
        ("ACT", "tanh_" if act == "tanh" else act),  # tanh is the function it is made of
        ("PIECEWISE", int(piecewise(act, alpha))),
        ("CLAMPED", int(clamp is not None)),
        ("BIAS", 0 if b is None else 2 if inner == 1 else 1),
        ("INDEX", "unsigned long long" if large else "unsigned"),
    )
    kernel = nvrtc.Kernel("bias_act", out.dtype, THREADS, constants)
    pointers = [c_uint64(0) if x is None else x for x in (b, g, h)]
    number = c_double if out.dtype == torch.float64 else c_float
    factors = [number(alpha), number(gain), number(inf if clamp is None else clamp)]
    packs = out.numel() // vec
    sizes = [(c_uint64 if large else c_uint32)(size) for size in (packs, inner, channels)]
    return kernels.run(kernel, packs, [out, saved, *pointers, *factors, *sizes], out.device)


def _pack(whole: list[Tensor], b: Tensor | None, inner: int, channels: int) -> int:
    """The number of elements a thread takes: a pack must lie at a multiple of its size in each tensor, and take either
    one bias or consecutive ones."""
    count = PACK_BYTES // whole[0].element_size()
    fits = whole[0].numel() % count == 0 and all(x.data_ptr() % PACK_BYTES == 0 for x in whole)
    if b is not None and inner % count != 0:
        fits = fits and inner == 1 and channels % count == 0 and b.data_ptr() % PACK_BYTES == 0
    return count if fits else 1
