"""The state that training begins with."""

import torch

from ..augment import AdaController
from ..checkpoint import TrainingState
from ..config import RunConfig
from ..networks import Discriminator, Generator
from .phases import make_optimizer


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
            training.r1_interval if training.r1_gamma > 0 else None,
        ),
        controller=AdaController(
            target=augment.target,
            kimg=augment.kimg,
            cap=augment.maximum if augment.p is None else 1.0,
            p=augment.p or 0.0,
            device=device,
        ),
        path_length_mean=torch.zeros((), device=device),
        logit_sums=torch.zeros(2, dtype=torch.float64, device=device),
    )
