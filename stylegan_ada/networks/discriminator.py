"""The residual discriminator. StyleGAN2 (arXiv 1912.04958), figure 7c; label projection after arXiv 1802.05637."""

import math

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from .layers import Conv2d, Linear, block_clamp, block_dtype
from .mapping import MappingNetwork

GROUP_SIZE = 4


def largest_group(count: int, group_size: int = GROUP_SIZE) -> int:
    """Images in each group of a batch of `count`: the largest divisor of it up to the group size."""
    return next(size for size in range(min(group_size, count), 0, -1) if count % size == 0)


def minibatch_std(x: Tensor, group_size: int = GROUP_SIZE) -> Tensor:
    """Appends one feature map: the standard deviation over a group of images, averaged over features and pixels.

    x [N, C, H, W] -> [N, C + 1, H, W]. Groups are runs of consecutive images, so that a batch cut at multiples of the
    group size (over processes, or micro-batches) has the groups of the whole. Where N is no multiple, the group is the
    largest divisor of N below. Karras et al. 2018, arXiv 1710.10196, section 3.
    """
    count, _, height, width = x.shape
    group = largest_group(count, group_size)
    grouped = x.unflatten(0, (-1, group)).to(torch.promote_types(x.dtype, torch.float32))
    variance = (grouped - grouped.mean(dim=1, keepdim=True)).square().mean(dim=1)  # [N / group, C, H, W]
    deviation = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))  # [N / group]
    feature = deviation.repeat_interleave(group).to(x.dtype)[:, None, None, None]
    return torch.cat([x, feature.expand(-1, 1, height, width)], dim=1)


class DiscriminatorBlock(nn.Module):
    """Halves the resolution: x [N, in_channels, H, W] -> [N, out_channels, H / 2, W / 2]."""

    def __init__(self, config: NetworkConfig, level: int):
        super().__init__()
        channels, below = config.block_channels(level), config.block_channels(level - 1)
        clamp = block_clamp(config, level)
        self.dtype = block_dtype(config, level)
        self.conv0 = Conv2d(channels, channels, 3, act="lrelu", clamp=clamp)
        self.conv1 = Conv2d(channels, below, 3, act="lrelu", down=2, clamp=clamp)
        self.skip = Conv2d(channels, below, 1, bias=False, down=2)

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.dtype or self.conv0.weight.dtype)
        gain = math.sqrt(0.5)
        return self.skip(x, gain=gain) + self.conv1(self.conv0(x), gain=gain)


class Discriminator(nn.Module):
    """image and masks [N, all_channels, H, W] and c [N, c_dim] -> logits [N], larger for images taken as real.

    The label enters by an inner product with features; with the full head it is added to a logit without label
    (arXiv 1802.05637, equation 3). A transitional one gives logits [N, 2], without and with the label (2201.06578).
    """

    def __init__(self, config: NetworkConfig):
        super().__init__()
        top = len(config.block_shapes) - 1
        height, width = config.block_shapes[0]
        channels = config.block_channels(0)
        self.from_rgb = Conv2d(
            config.all_channels, config.block_channels(top), 1, act="lrelu", clamp=block_clamp(config, top)
        )
        self.top_dtype = block_dtype(config, top)
        self.blocks = nn.ModuleList(DiscriminatorBlock(config, level) for level in range(top, 0, -1))
        self.conv = Conv2d(channels + 1, channels, 3, act="lrelu", clamp=config.conv_clamp)
        self.fc = Linear(channels * height * width, channels, act="lrelu")
        self.out = Linear(channels, channels if config.c_dim else 1)
        depth = config.mapping_depth if config.label_depth is None else config.label_depth
        self.mapping = MappingNetwork(0, config.c_dim, channels, depth) if config.c_dim else None
        judges_alone = config.transitional or (config.label_head == "full" and config.c_dim > 0)
        self.unconditional = Linear(channels, 1) if judges_alone else None
        self.two_heads = config.transitional

    def forward(self, image: Tensor, c: Tensor) -> Tensor:
        x = self.from_rgb(image.to(self.top_dtype or image.dtype))
        for block in self.blocks:
            x = block(x)
        x = minibatch_std(x.to(self.conv.weight.dtype))
        features = self.fc(self.conv(x).flatten(1))
        x = self.out(features)  # [N, channels] or [N, 1]
        if self.mapping is None:
            return x.squeeze(1)
        label = self.mapping(None, c)
        conditional = (x * label).sum(dim=1) / math.sqrt(label.shape[1])
        if self.unconditional is None:
            return conditional
        alone = self.unconditional(features)
        return torch.cat([alone, conditional[:, None]], dim=1) if self.two_heads else alone.squeeze(1) + conditional
