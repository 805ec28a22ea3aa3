"""The phases of a step: which parameters each moves, how often, and with what rate."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ... import distributed
from ...config import StartConfig, TrainingConfig
from ...networks import Discriminator, Generator
from .objective import MicroBatch, Objective


@dataclass(frozen=True)
class Phase:
    """One gradient step of one network, due every `interval` steps and weighted by it (lazy regularisation)."""

    name: str
    module: nn.Module
    learning: Sequence[nn.Parameter]  # of the module, the others keep what they are
    other: nn.Module  # the network that takes part without learning
    optimizer: torch.optim.Optimizer
    interval: int
    losses: Callable[[MicroBatch], Iterator[Tensor]]

    def gradients(self, micro_batches: list[MicroBatch], batch: int) -> Tensor:
        """Fills the module's gradients: the mean over a global batch of `batch` images, of which the micro-batches are
        this process's share. Returns this share's sum of losses, a scalar on the device."""
        self.module.requires_grad_(False)
        self.other.requires_grad_(False)
        for parameter in self.learning:
            parameter.requires_grad_(True)
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=micro_batches[0].images.device)
        for micro_batch in micro_batches:
            for loss in self.losses(micro_batch):
                (loss.sum() * (self.interval / batch)).backward()
                total += loss.detach().sum()
        return total

    def step(self) -> Tensor:
        """Adds the gradients up over the processes and moves the module. Returns whether they had to be made finite, a
        bool scalar on the device."""
        scrubbed = distributed.reduce_gradients(self.module.parameters())
        self.optimizer.step()
        return scrubbed


def make_optimizer(module: nn.Module, learning_rate: float, lazy_interval: int | None) -> torch.optim.Optimizer:
    """Adam with betas 0 and 0.99. With a lazy regulariser every k steps there are k + 1 gradient steps where there were
    k, so rate and betas are rescaled by c = k / (k + 1): rate * c, beta^c. arXiv 1912.04958, appendix B."""
    c = 1.0 if lazy_interval is None else lazy_interval / (lazy_interval + 1)
    return torch.optim.Adam(module.parameters(), lr=learning_rate * c, betas=(0.0, 0.99**c), eps=1e-8, fused=True)


def make_phases(
    objective: Objective,
    generator_optimizer: torch.optim.Optimizer,
    discriminator_optimizer: torch.optim.Optimizer,
    config: TrainingConfig,
    start: StartConfig,
) -> list[Phase]:
    """The phases in the order in which a step runs those that are due."""
    generator, discriminator = objective.generator, objective.discriminator

    def of_generator(name: str, interval: int, losses: Callable[[MicroBatch], Iterator[Tensor]]) -> Phase:
        learns = learning(generator, start)
        return Phase(name, generator, learns, discriminator, generator_optimizer, interval, losses)

    def of_discriminator(name: str, interval: int, losses: Callable[[MicroBatch], Iterator[Tensor]]) -> Phase:
        learns = learning(discriminator, start)
        return Phase(name, discriminator, learns, generator, discriminator_optimizer, interval, losses)

    phases = [of_generator("G", 1, objective.generator_main)]
    if config.pl_weight > 0:
        phases.append(of_generator("G_pl", config.pl_interval, objective.path_length))
    phases.append(of_discriminator("D", 1, objective.discriminator_main))
    if config.gamma > 0:
        phases.append(of_discriminator("D_r1", config.r1_interval, objective.r1))
    return phases


def learning(network: Generator | Discriminator, start: StartConfig) -> list[nn.Parameter]:
    """The parameters of a network that are not frozen. The discriminator's lower layers, which see the image first, are
    frozen as FreezeD does (arXiv 2002.10964); the generator's blocks from the lowest resolution on."""
    kept: list[nn.Module] = []
    if isinstance(network, Generator):
        kept += [network.mapping] * start.freeze_mapping
        kept += network.synthesis.blocks[: start.freeze_g]
    elif start.freeze_d:
        kept += [network.from_rgb, *network.blocks[: start.freeze_d]]
    frozen = {id(parameter) for module in kept for parameter in module.parameters()}
    return [parameter for parameter in network.parameters() if id(parameter) not in frozen]
