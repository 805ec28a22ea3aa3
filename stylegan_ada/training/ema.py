"""The moving average of the generator that is sampled, measured and kept."""

import torch

from ..networks import Generator


def ema_beta(batch: int, images_seen: int, ema_kimg: float, rampup: float) -> float:
    """Decay of one step of `batch` images: a half-life of `ema_kimg` thousand images, but at most `rampup` times the
    images seen so far, so that the average forgets the beginning. Karras et al. 2018, arXiv 1710.10196; ramp from ADA.
    """
    half_life = min(ema_kimg * 1000, images_seen * rampup)
    return 0.5 ** (batch / half_life) if half_life > 0 else 0.0


@torch.no_grad()
def update_ema(average: Generator, generator: Generator, beta: float) -> None:
    """average = beta * average + (1 - beta) * generator, parameter by parameter; buffers are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(generator.parameters()), 1 - beta)
    for kept, new in zip(average.buffers(), generator.buffers(), strict=True):
        kept.copy_(new)
