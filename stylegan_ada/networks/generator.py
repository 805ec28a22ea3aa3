"""The generator: mapping, truncation, synthesis."""

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from .mapping import MappingNetwork
from .synthesis import SynthesisNetwork

RIDGE = 1e-4  # beside label vectors of ones


class Generator(nn.Module):
    """z [N, z_dim] and c [N, c_dim] -> image and masks [N, all_channels, H, W], about [-1, 1].

    Keeps the running mean of w, one per class when labelled (a single one otherwise), as the centre of truncation.
    Where labels are attributes the centre is linear in the label vector: the least squares prediction of w, for values
    that few images have between that and the mean of all.
    """

    w_mean: Tensor
    w_count: Tensor
    w_moments: Tensor | None

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        self.mapping = MappingNetwork(
            config.z_dim, config.c_dim, config.w_dim, config.mapping_depth, blends=config.transitional
        )
        self.synthesis = SynthesisNetwork(config)
        rows = config.c_dim + 1 if config.attributes else max(1, config.c_dim)
        self.register_buffer("w_mean", torch.zeros(rows, config.w_dim))
        self.register_buffer("w_count", torch.zeros(rows))  # images behind each mean
        # running means of the normal equations: of products of label vectors with w, and with themselves
        self.register_buffer("w_moments", torch.zeros(rows, config.w_dim + rows) if config.attributes else None)

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
        """Sums of w per class beside the number of images, [classes, w_dim + 1]: added up over a step, then applied. Of
        attributes the sums of the normal equations, [c_dim + 1, w_dim + c_dim + 1]."""
        weights = self._weights(c)
        beside = torch.ones_like(w[:, :1]) if self.w_moments is None else weights
        return weights.t() @ torch.cat([w.detach(), beside], dim=1)

    @torch.no_grad()
    def update_w_mean(self, statistics: Tensor, beta: float) -> None:
        """Moves each class's running mean towards a step's by 1 - beta, or by more while few images are behind it."""
        counts = statistics[:, -1]
        self.w_count += counts
        if self.w_moments is not None:
            self._move_moments(statistics, beta)
            return
        sums = statistics[:, :-1]
        step = torch.maximum(counts / self.w_count.clamp(min=1), torch.full_like(counts, 1 - beta)) * (counts > 0)
        self.w_mean += step[:, None] * (sums / counts.clamp(min=1)[:, None] - self.w_mean)

    def _move_moments(self, statistics: Tensor, beta: float) -> None:
        """Least squares over the last steps. The last number of the statistics is that of the images."""
        assert self.w_moments is not None
        images = statistics[-1, -1]
        step = torch.clamp(images / self.w_count[-1], min=1 - beta)
        self.w_moments += step * (statistics / images - self.w_moments)
        moments, products = self.w_moments.double().split([self.config.w_dim, len(statistics)], dim=1)
        # the ridge decides between the columns of an attribute, which add up to the constant
        ridge = RIDGE * torch.eye(len(products), dtype=products.dtype, device=products.device)
        solution, _ = torch.linalg.solve_ex(products + ridge, moments)
        self.w_mean.copy_(solution)

    def _weights(self, c: Tensor) -> Tensor:
        """The share of each mean in each image's centre, [N, rows]: the label vector, with a constant where it is of
        attributes; or the constant alone."""
        constant = c.new_ones(c.shape[0], 1)
        if self.w_moments is not None:
            return torch.cat([c, constant], dim=1)
        return c if self.config.c_dim else constant
