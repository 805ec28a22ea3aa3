"""StyleGAN2's ops in the form in which the papers write them: zeros are inserted, every image has its own weights.

What `tests.bench.cpu` compares with, and what the first steps of a training must equal. No layout, no fusion.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch.nn.functional as F
from torch import Tensor

from stylegan_ada.networks import layers, synthesis
from stylegan_ada.ops.fir import aligned_padding

SQRT2 = 2**0.5


def bias_act(
    x: Tensor,
    b: Tensor | None = None,
    act: str = "linear",
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """clamp(act(x + b) * gain), one operation after the other; act: linear or lrelu."""
    if b is not None:
        x = x + b.reshape(1, -1, *[1] * (x.ndim - 2))
    if act == "lrelu":
        x = F.leaky_relu(x, 0.2)
    gain = (SQRT2 if act == "lrelu" else 1.0) if gain is None else gain
    if gain != 1:
        x = x * gain
    return x if clamp is None else x.clamp(-clamp, clamp)


def upfirdn2d(x: Tensor, f: Tensor, up: int, down: int, padding: tuple[int, int, int, int], gain: float = 1) -> Tensor:
    """Insert zeros, pad, convolve every channel with f, keep every `down`-th pixel."""
    count, channels, height, width = x.shape
    if up > 1:
        x = F.pad(x.reshape(count, channels, height, 1, width, 1), [0, up - 1, 0, 0, 0, up - 1])
        x = x.reshape(count, channels, height * up, width * up)
    x = F.pad(x, padding)
    weight = (f * gain).flip(0, 1).to(x.dtype)[None, None].repeat(channels, 1, 1, 1)
    return F.conv2d(x, weight, groups=channels)[:, :, ::down, ::down]


def upsample2d(x: Tensor, f: Tensor) -> Tensor:
    return upfirdn2d(x, f, 2, 1, aligned_padding(f, up=(2, 2)), gain=4)


def conv2d_resample(
    x: Tensor,
    w: Tensor,
    f: Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: int = 0,
    groups: int = 1,
    flip_weight: bool = True,
) -> Tensor:
    """Zero insertion or decimation with the filter f, and a convolution with w. The transposed convolution up."""
    if up == down == 1:
        return F.conv2d(x, w, padding=padding, groups=groups)
    assert f is not None
    if down > 1:
        x0, x1, y0, y1 = aligned_padding(f, down=(down, down))
        x = upfirdn2d(x, f, 1, 1, (x0 + padding, x1 + padding, y0 + padding, y1 + padding))
        return F.conv2d(x, w, stride=down, groups=groups)
    if flip_weight:
        w = w.flip(2, 3)
    w = w.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    x = F.conv_transpose2d(x, w, stride=up, groups=groups)
    return upfirdn2d(x, f, 1, 1, (1, 1, 1, 1), gain=up**2)


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    *,
    noise: Tensor | None = None,
    up: int = 1,
    padding: int = 0,
    resample_filter: Tensor | None = None,
    demodulate: bool = True,
    flip_weight: bool = True,
    gain: float = 1,
) -> Tensor:
    """Weights per image (StyleGAN2, arXiv 1912.04958, eq. 1 and 3), one group each in one grouped convolution."""
    count, channels, height, width = x.shape
    w = weight * styles[:, None, :, None, None]  # [N, O, I, kh, kw]
    if demodulate:
        w = w * (w.square().sum([2, 3, 4], keepdim=True) + 1e-8).rsqrt()
    x = conv2d_resample(
        x.reshape(1, count * channels, height, width),
        w.flatten(0, 1).to(x.dtype),
        resample_filter,
        up=up,
        padding=padding,
        groups=count,
        flip_weight=flip_weight,
    )
    x = x.reshape(count, -1, *x.shape[2:])
    if gain != 1:
        x = x * gain
    return x if noise is None else x + noise


@contextmanager
def plain_ops() -> Iterator[None]:
    """The networks use these ops within the block."""
    with ExitStack() as stack:
        for module, functions in (
            (layers, (bias_act, conv2d_resample)),
            (synthesis, (bias_act, modulated_conv2d, upsample2d)),
        ):
            for function in functions:
                stack.enter_context(patch.object(module, function.__name__, function))
        yield
