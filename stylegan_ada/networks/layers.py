"""Layers with equalised learning rates: weights are drawn from N(0, 1) and scaled when they are used.

Karras et al. 2018, arXiv 1710.10196, section 4.1. And in which number format a block's layers compute: networks cast
explicitly, there is no autocast.
"""

import math

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from ..ops import bias_act, conv2d_resample, setup_filter
from ..ops.bias_act import DEFAULT_GAINS

RESAMPLING_TAPS = (1, 3, 3, 1)
LRELU_GAIN = DEFAULT_GAINS["lrelu"]
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
FP16_CLAMP = 256.0  # ADA, arXiv 2006.06676, appendix D: keeps fp16 activations from overflowing


def normalize_second_moment(x: Tensor) -> Tensor:
    """x [N, C] scaled so that the mean square of each row is 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class Linear(nn.Module):
    """Fully connected layer. x [N, in_features] -> [N, out_features].

    lr_multiplier: weight and bias learn at this multiple of the optimiser's rate.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        act: str = "linear",
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
    ):
        super().__init__()
        self.act = act
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((out_features,), bias_init / lr_multiplier))
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        # gains on the product, which is smaller than the weight
        x = torch.addmm(bias, x, weight.t(), beta=self.bias_gain, alpha=self.weight_gain)
        return x if self.act == "linear" else bias_act(x, act=self.act)


class Conv2d(nn.Module):
    """Convolution with an odd kernel, optional FIR down-sampling by 2, bias and activation.

    x [N, in_channels, H, W] -> [N, out_channels, H / down, W / down]
    clamp: bound of the absolute values of the result, None for no bound.
    """

    resample_filter: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        bias: bool = True,
        act: str = "linear",
        down: int = 1,
        clamp: float | None = None,
    ):
        super().__init__()
        self.act, self.down, self.clamp = act, down, clamp
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.weight_gain = 1 / math.sqrt(in_channels * kernel_size**2)
        self.register_buffer("resample_filter", setup_filter(RESAMPLING_TAPS) if down > 1 else None, persistent=False)

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """gain multiplies the result (and the clamp)."""
        # on weight and bias, gains take no pass over the image: positive ones commute with lrelu
        total_gain = LRELU_GAIN * gain if self.act == "lrelu" else gain
        weight = (self.weight * (self.weight_gain * total_gain)).to(x.dtype)
        padding = self.weight.shape[-1] // 2
        x = conv2d_resample(x, weight, self.resample_filter, down=self.down, padding=padding)
        bias = None if self.bias is None else (self.bias * total_gain).to(x.dtype)
        clamp = None if self.clamp is None else self.clamp * gain
        return bias_act(x, bias, act=self.act, gain=1, clamp=clamp)


def block_dtype(config: NetworkConfig, level: int) -> torch.dtype | None:
    """The reduced format of a block, None for the parameters' own."""
    return DTYPES[config.precision] if config.is_half(level) else None


def block_clamp(config: NetworkConfig, level: int) -> float | None:
    if config.conv_clamp is not None:
        return config.conv_clamp
    return FP16_CLAMP if block_dtype(config, level) is torch.float16 else None
