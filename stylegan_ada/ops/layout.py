"""The memory layout in which convolutions are fast."""

import torch
from torch import Tensor


def fast_layout(x: Tensor) -> Tensor:
    """x [N, C, H, W] in the layout to convolve it in; on the CPU that is channels-last, 1.1 to 10 times faster, least
    for many channels, most for resampling. Results keep the layout, so that one conversion serves a whole network."""
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x
