"""The synthesis network: from one w per layer to an image. StyleGAN2 (arXiv 1912.04958), sections 2 and 4."""

import math

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from ..ops import bias_act, modulated_conv2d, setup_filter, upsample2d
from .layers import LRELU_GAIN, RESAMPLING_TAPS, Linear, block_clamp, block_dtype


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution (optionally up-sampling by 2), noise, bias, leaky ReLU.

    x [N, in_channels, H / up, W / up], w [N, w_dim], noise None or broadcastable to [N, 1, H, W]
    -> [N, out_channels, H, W]
    """

    resample_filter: Tensor | None

    def __init__(self, in_channels: int, out_channels: int, w_dim: int, *, up: int, clamp: float | None):
        super().__init__()
        self.up, self.clamp = up, clamp
        self.affine = Linear(w_dim, in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("resample_filter", setup_filter(RESAMPLING_TAPS) if up > 1 else None, persistent=False)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        # lrelu's gain commutes with it: on factors and sums before, it takes no pass over the image
        x = modulated_conv2d(
            x,
            self.weight,
            self.affine(w),
            noise=None if noise is None else (noise * (self.noise_strength * LRELU_GAIN)).to(x.dtype),
            up=self.up,
            padding=1,
            resample_filter=self.resample_filter,
            flip_weight=self.up == 1,  # the up-convolution is a transposed one, with the weight as it is stored
            gain=LRELU_GAIN,
        )
        return bias_act(x, (self.bias * LRELU_GAIN).to(x.dtype), act="lrelu", gain=1, clamp=self.clamp)


class ToRGB(nn.Module):
    """Modulated 1x1 convolution without demodulation: x [N, in_channels, H, W], w [N, w_dim] -> [N, channels, H, W]."""

    def __init__(self, in_channels: int, channels: int, w_dim: int, *, clamp: float | None):
        super().__init__()
        self.clamp = clamp
        self.affine = Linear(w_dim, in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        styles = self.affine(w) * self.weight_gain
        x = modulated_conv2d(x, self.weight, styles, demodulate=False)
        return bias_act(x, self.bias.to(x.dtype), clamp=self.clamp)


class SynthesisBlock(nn.Module):
    """One resolution: the lowest starts from a learned constant, the others double the one below."""

    resample_filter: Tensor

    def __init__(self, config: NetworkConfig, level: int):
        super().__init__()
        height, width = config.block_shapes[level]
        channels = config.block_channels(level)
        clamp = block_clamp(config, level)
        self.dtype: torch.dtype | None = block_dtype(config, level)
        self.layers = nn.ModuleList()
        if level == 0:
            self.learned_input = nn.Parameter(torch.randn(channels, height, width))
        else:
            below = config.block_channels(level - 1)
            self.layers.append(SynthesisLayer(below, channels, config.w_dim, up=2, clamp=clamp))
        self.layers.append(SynthesisLayer(channels, channels, config.w_dim, up=1, clamp=clamp))
        self.to_rgb = ToRGB(channels, config.all_channels, config.w_dim, clamp=clamp)
        self.register_buffer("resample_filter", setup_filter(RESAMPLING_TAPS), persistent=False)

    def forward(
        self, x: Tensor | None, image: Tensor | None, ws: Tensor, noises: list[Tensor | None]
    ) -> tuple[Tensor, Tensor]:
        """ws [N, number of layers + 1, w_dim], the last for ToRGB; noises one per layer -> features, image so far."""
        if x is None:
            x = self.learned_input.expand(ws.shape[0], -1, -1, -1)  # len() would fix the batch of an exported graph
        x = x.to(self.dtype or ws.dtype)
        for index, layer in enumerate(self.layers):
            x = layer(x, ws[:, index], noises[index])
        rgb = self.to_rgb(x, ws[:, len(self.layers)]).to(ws.dtype)
        return x, rgb if image is None else upsample2d(image, self.resample_filter) + rgb


class SynthesisNetwork(nn.Module):
    """ws [N, num_ws, w_dim] -> image [N, all_channels, H, W], about [-1, 1].

    num_ws: one w per layer and one for the last ToRGB; every other ToRGB takes the w of the next block's first layer.
    noise_size: numbers of noise per image, over all layers.
    """

    noise_constant: Tensor

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.image_channels = config.channels
        self.blocks = nn.ModuleList(SynthesisBlock(config, level) for level in range(len(config.block_shapes)))
        self.noise_shapes = [
            shape for level, shape in enumerate(config.block_shapes) for _ in range(1 if level == 0 else 2)
        ]
        self.num_ws = len(self.noise_shapes) + 1
        self.noise_size = sum(height * width for height, width in self.noise_shapes)
        self.register_buffer("noise_constant", torch.randn(self.noise_size))

    def forward(self, ws: Tensor, noise: Tensor | None) -> Tensor:
        """noise: [N, noise_size], or [1, noise_size] for all images alike, or None for none."""
        noises = self._split_noise(noise)
        x = image = None
        first = 0
        for level, block in enumerate(self.blocks):
            count = 1 if level == 0 else 2
            x, image = block(x, image, ws[:, first : first + count + 1], noises[first : first + count])
            first += count
        assert image is not None
        return image

    def image(self, ws: Tensor, noise: Tensor | None) -> Tensor:
        """[N, channels, H, W]: the image without masks."""
        made: Tensor = self(ws, noise)
        return made[:, : self.image_channels]

    def compute_in(self, dtype: torch.dtype | None) -> None:
        """Lets every block but the lowest compute in `dtype` from now on, None for the parameters' own.

        Clamps stay as they were trained with."""
        for level, block in enumerate(self.blocks):
            assert isinstance(block, SynthesisBlock)
            block.dtype = dtype if level > 0 else None

    def _split_noise(self, noise: Tensor | None) -> list[Tensor | None]:
        if noise is None:
            return [None] * len(self.noise_shapes)
        parts = noise.split([height * width for height, width in self.noise_shapes], dim=1)
        return [part.reshape(-1, 1, *shape) for part, shape in zip(parts, self.noise_shapes, strict=True)]
