"""Modulated convolution, StyleGAN2's (arXiv 1912.04958, section 2.2) replacement of instance normalisation."""

import torch
from torch import Tensor

from .conv2d_resample import conv2d_resample
from .upfirdn2d import Pair

EPSILON = 1e-8
TINY = 1e-6


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    *,
    noise: Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: Pair = 0,
    resample_filter: Tensor | None = None,
    demodulate: bool = True,
    flip_weight: bool = True,
    gain: float = 1,
) -> Tensor:
    """Convolve each sample with its own weights, w'_ijk = s_i w_ijk (eq. 1), demodulated to unit L2 norm per output
    channel (eq. 3), without making them: the input is scaled by s before, the output by 1 / norm after.

    x: [N, I, H, W]. weight: [O, I, kh, kw]. styles: [N, I]. gain: scales the result. noise: broadcastable to the
    result, added to it in the end. up, down, padding, resample_filter, flip_weight: as in conv2d_resample. Returns
    [N, O, H', W'] in x's dtype; the norms are computed in float32 at least. In float16 nothing overflows on the way,
    thanks to demodulation, if demodulate.
    Raises ValueError if shapes do not fit.
    """
    if x.ndim != 4 or weight.ndim != 4 or weight.shape[1] != x.shape[1]:
        raise ValueError(f"x {list(x.shape)} and weight {list(weight.shape)} must be [N, I, H, W] and [O, I, kh, kw]")
    if styles.shape != x.shape[:2]:
        raise ValueError(f"styles must be [N, I] = {list(x.shape[:2])}, not of shape {list(styles.shape)}")
    scale = None
    if demodulate:
        scale = _demodulation(weight, styles) * gain
        if x.dtype == torch.float16:
            weight, styles, undo = _shrink(weight, styles)
            scale = scale * undo
    elif gain != 1:
        styles = styles * gain
    x = x * styles.to(x.dtype)[:, :, None, None]
    x = conv2d_resample(x, weight, resample_filter, up, down, padding, flip_weight=flip_weight)
    if scale is not None:
        scale = scale.to(x.dtype)[:, :, None, None]
        return x * scale if noise is None else torch.addcmul(noise.to(x.dtype), x, scale)
    return x if noise is None else x + noise.to(x.dtype)


def _demodulation(weight: Tensor, styles: Tensor) -> Tensor:
    """[N, O]: 1 / sqrt(sum over i, k of (s_i w_ik)^2 + epsilon), as one small matrix product."""
    dtype = torch.promote_types(weight.dtype, torch.float32)
    energy = weight.to(dtype).square().sum([2, 3])  # [O, I]
    return (styles.to(dtype).square() @ energy.T + EPSILON).rsqrt()


def _shrink(weight: Tensor, styles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """weight and styles made small enough that float16 sums of their products stay finite, and the factor [N, O] that
    undoes it. The factors count as constants: they cancel, so that no gradient is lost."""
    weight, styles = weight.float(), styles.float()
    fan_in = weight[0].numel()
    w_size = weight.detach().abs().amax([1, 2, 3]).clamp(min=TINY) * fan_in**0.5  # [O]
    s_size = styles.detach().abs().amax(1).clamp(min=TINY)  # [N]
    return weight / w_size[:, None, None, None], styles / s_size[:, None], s_size[:, None] * w_size
