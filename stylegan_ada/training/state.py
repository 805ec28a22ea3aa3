"""The state that training begins with, and the moving average in it."""

import torch

from ..augment import AdaController
from ..config import RunConfig
from ..networks import Discriminator, Generator
from .checkpoints import TrainingState
from .step.phases import make_optimizer


def fresh_state(config: RunConfig, device: torch.device) -> TrainingState:
    """Networks drawn from the run's seed, the moving average equal to the generator; optimizers that took no step."""
    training, augment = config.training, config.augment
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        generator = Generator(config.network)
        discriminator = Discriminator(config.network)
        generator_ema = Generator(config.network)
    generator_ema.load_state_dict(generator.state_dict())
    for network in (generator, discriminator, generator_ema):
        network.to(device)
    return TrainingState(
        generator=generator,
        generator_ema=generator_ema.eval().requires_grad_(False),
        discriminator=discriminator,
        generator_optimizer=make_optimizer(
            generator, training.learning_rate, training.pl_interval if training.pl_weight > 0 else None
        ),
        discriminator_optimizer=make_optimizer(
            discriminator,
            training.learning_rate * training.discriminator_rate,
            training.r1_interval if training.gamma > 0 else None,
        ),
        controller=AdaController(
            target=augment.ada_target,
            kimg=augment.ada_kimg,
            cap=augment.ada_max if augment.ada_p is None else 1.0,
            p=augment.ada_p or 0.0,
            device=device,
        ),
        path_length_mean=torch.zeros((), device=device),
        logit_sums=torch.zeros(2, dtype=torch.float64, device=device),
    )


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
    torch._foreach_copy_(list(average.buffers()), list(generator.buffers()))
