"""The mapping network: from z and a label vector to w."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from .layers import Linear, normalize_second_moment


class MappingNetwork(nn.Module):
    """z [N, z_dim] and c [N, c_dim] -> w [N, w_dim]. StyleGAN (arXiv 1812.04948) section 2, with an embedded label.

    z and the embedded label are each normalised to unit second moment, then concatenated.
    z_dim 0 maps a label alone (the discriminator's projection); c_dim 0 ignores c.

    blends: the embedded label is multiplied by `label_weight`, a buffer that rises from 0 to 1 in training (arXiv
    2201.06578).
    """

    label_weight: Tensor | None

    def __init__(
        self, z_dim: int, c_dim: int, w_dim: int, depth: int, lr_multiplier: float = 0.01, blends: bool = False
    ):
        super().__init__()
        self.z_dim, self.c_dim, self.w_dim = z_dim, c_dim, w_dim
        self.embed = Linear(c_dim, w_dim) if c_dim else None
        self.register_buffer("label_weight", torch.zeros(()) if blends else None)
        widths = [z_dim + (w_dim if c_dim else 0)] + [w_dim] * depth
        self.layers = nn.Sequential(
            *(Linear(before, after, act="lrelu", lr_multiplier=lr_multiplier) for before, after in pairwise(widths))
        )

    def blend(self, label_weight: float) -> None:
        """Sets how much labels count, from 0 to 1, in a network that blends them in."""
        assert self.label_weight is not None
        self.label_weight.fill_(label_weight)

    def forward(self, z: Tensor | None, c: Tensor | None) -> Tensor:
        parts = []
        if self.z_dim:
            assert z is not None
            parts.append(normalize_second_moment(z.to(torch.promote_types(z.dtype, torch.float32))))
        if self.embed is not None:
            assert c is not None
            label = normalize_second_moment(self.embed(c))
            parts.append(label if self.label_weight is None else label * self.label_weight)
        return self.layers(torch.cat(parts, dim=1))
