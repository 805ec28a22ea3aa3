"""The operations that StyleGAN2 is made of, as pure functions of tensors."""

from .bias_act import bias_act
from .conv2d_resample import conv2d_resample
from .fir import setup_filter
from .implementation import warm_up
from .modulated_conv2d import modulated_conv2d
from .upfirdn2d import downsample2d, filter2d, upfirdn2d, upsample2d

__all__ = [
    "bias_act",
    "conv2d_resample",
    "downsample2d",
    "filter2d",
    "modulated_conv2d",
    "setup_filter",
    "upfirdn2d",
    "upsample2d",
    "warm_up",
]
