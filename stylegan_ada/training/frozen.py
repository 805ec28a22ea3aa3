"""Which parameters learn: all of them, but for what a run keeps as it was trained before."""

from torch import nn

from ..config_start import StartConfig
from ..networks import Discriminator, Generator


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
