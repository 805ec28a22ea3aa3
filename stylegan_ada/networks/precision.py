"""Which blocks run in which number format. The networks cast explicitly; there is no autocast."""

import torch

from ..config import NetworkConfig

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
FP16_CLAMP = 256.0  # ADA, arXiv 2006.06676, appendix D: keeps fp16 activations from overflowing


def block_dtype(config: NetworkConfig, level: int) -> torch.dtype | None:
    """The reduced format of a block, None for the parameters' own."""
    return DTYPES[config.precision] if config.is_half(level) else None


def block_clamp(config: NetworkConfig, level: int) -> float | None:
    if config.conv_clamp is not None:
        return config.conv_clamp
    return FP16_CLAMP if block_dtype(config, level) is torch.float16 else None
