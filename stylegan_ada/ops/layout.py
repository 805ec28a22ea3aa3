"""The memory layout in which convolutions are fast."""

import torch
from torch import Tensor


def fast_layout(x: Tensor) -> Tensor:
    """x [N, C, H, W] in the layout to convolve it in; on the CPU that is channels-last, 1.1 to 10 times faster, least
    for many channels, most for resampling. Results keep the layout, so that one conversion serves a whole network."""
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x


def dense(x: Tensor) -> Tensor:
    """x, or a copy, whose elements fill their memory, in one of the two layouts if x is [N, C, H, W]."""
    if x.is_contiguous() or (x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)):
        return x
    return x.contiguous()


def declare_layout(x: Tensor) -> Tensor:
    """x itself; of a single channel, for which the layouts are the same, with the strides of channels-last, since torch
    makes results in the layout that the strides tell. Not for use under autograd."""
    if x.shape[1] > 1 or x.device.type != "cpu" or not x.is_contiguous():
        return x
    _, _, height, width = x.shape
    return x.as_strided(x.shape, (height * width, 1, width, 1))
