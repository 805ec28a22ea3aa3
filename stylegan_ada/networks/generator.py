"""The generator: mapping, truncation, synthesis."""

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from .mapping import MappingNetwork
from .synthesis import SynthesisNetwork


class Generator(nn.Module):
    """z [N, z_dim] and c [N, c_dim] -> image [N, channels, H, W], about [-1, 1].

    Keeps the running mean of w, one per class when labelled (a single one otherwise), as the centre of truncation.
    """

    w_mean: Tensor
    w_count: Tensor

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        self.mapping = MappingNetwork(
            config.z_dim, config.c_dim, config.w_dim, config.mapping_depth, blends=config.transitional
        )
        self.synthesis = SynthesisNetwork(config)
        self.register_buffer("w_mean", torch.zeros(max(1, config.c_dim), config.w_dim))
        self.register_buffer("w_count", torch.zeros(max(1, config.c_dim)))  # images behind each mean

    @property
    def num_ws(self) -> int:
        return self.synthesis.num_ws

    def forward(self, z: Tensor, c: Tensor, noise: Tensor | None, truncation_psi: float = 1.0) -> Tensor:
        w = self.truncate(self.mapping(z, c), c, truncation_psi)
        return self.synthesis(self.broadcast(w), noise)

    def broadcast(self, w: Tensor) -> Tensor:
        """w [N, w_dim] -> ws [N, num_ws, w_dim], the same w for every layer."""
        return w[:, None].expand(-1, self.num_ws, -1)

    def truncate(self, w: Tensor, c: Tensor, truncation_psi: float | Tensor) -> Tensor:
        """Moves w [N, w_dim] towards its class's mean: 1 leaves it, 0 gives the mean. arXiv 1812.04948, appendix B.

        truncation_psi: a number, or a scalar tensor, which a graph may take as an input."""
        center = self._weights(c) @ self.w_mean
        return torch.lerp(center, w, truncation_psi)

    def w_statistics(self, w: Tensor, c: Tensor) -> Tensor:
        """Sums of w per class beside the number of images, [classes, w_dim + 1]: added up over a step, then applied."""
        with_count = torch.cat([w.detach(), torch.ones_like(w[:, :1])], dim=1)
        return self._weights(c).t() @ with_count

    @torch.no_grad()
    def update_w_mean(self, statistics: Tensor, beta: float) -> None:
        """Moves each class's running mean towards a step's by 1 - beta, or by more while few images are behind it."""
        sums, counts = statistics[:, :-1], statistics[:, -1]
        self.w_count += counts
        step = torch.maximum(counts / self.w_count.clamp(min=1), torch.full_like(counts, 1 - beta)) * (counts > 0)
        self.w_mean += step[:, None] * (sums / counts.clamp(min=1)[:, None] - self.w_mean)

    def _weights(self, c: Tensor) -> Tensor:
        """The share of each mean in each image's centre, [N, classes]: the label vector, or ones."""
        return c if self.config.c_dim else c.new_ones(c.shape[0], 1)
