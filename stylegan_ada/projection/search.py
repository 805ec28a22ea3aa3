"""The optimisation of latents and noise. StyleGAN2 (arXiv 1912.04958), appendix D."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..random import Draws
from ..sampling import TrainedGenerator
from .distance import Distance
from .noise import noise_regularisation, normalize_noise

RATE = 0.1
RATE_UP, RATE_DOWN = 0.05, 0.25  # shares of the steps
W_NOISE, W_NOISE_UNTIL = 0.05, 0.75
NOISE_WEIGHT = 1e5
PIXEL_WEIGHT = 10.0
COARSEST = 4  # pixels a side of the coarsest scale of the pixel term
FLAT = 0.01  # an image is done when its loss falls by less than this share ...
PATIENCE = 0.1  # ... in this share of the steps


Watch = Callable[[int, Tensor, Tensor], None]


class Search:
    """The optimisation of a batch. Every term is a sum over images, so that none sees another."""

    def __init__(
        self,
        generator: TrainedGenerator,
        targets: Tensor,
        mask: Tensor | None,
        distance: Distance,
        space: str,
        steps: int,
    ):
        self.synthesis = generator.network.synthesis
        self.targets, self.mask, self.distance = targets, mask, distance
        self.wanted = distance.features(targets, mask)
        self.layers = self.synthesis.num_ws if space == "w+" else 1
        self.steps = steps

    def run(self, start: Tensor, spread: Tensor, draws: Draws, watch: Watch | None = None) -> tuple[Tensor, Tensor]:
        """Searches from w [N, w_dim] for the w [N, num_ws, w_dim] and noise [N, noise_size] that come nearest.

        watch: called after each step with the number of steps done and the best w and noise so far.
        """
        w = start[:, None].repeat(1, self.layers, 1).requires_grad_()
        noise = draws.normal(self.synthesis.noise_size)
        normalize_noise(noise, self.synthesis.noise_shapes)
        noise.requires_grad_()
        adam = torch.optim.Adam([w, noise])
        best_w, best_noise = w.detach().clone(), noise.detach().clone()
        best = torch.full_like(spread, math.inf)
        before = best.clone()
        active = torch.arange(len(w), device=w.device)
        every = max(1, round(self.steps * PATIENCE))
        for step in range(self.steps):
            progress = step / self.steps
            adam.param_groups[0]["lr"] = RATE * _ramp(progress + 1 / self.steps)
            wobble = W_NOISE * max(0.0, 1 - progress / W_NOISE_UNTIL) ** 2
            tried = w
            if wobble:
                tried = w + (wobble * spread)[:, None, None] * draws.normal(*w.shape[1:])
            losses = self._losses(tried[active], noise[active], active)
            shapes = self.synthesis.noise_shapes
            adam.zero_grad(set_to_none=True)
            (losses + NOISE_WEIGHT * noise_regularisation(noise[active], shapes)).sum().backward()
            losses = losses.detach()
            better = losses < best[active]
            which = active[better]
            best[which] = losses[better]
            best_w[which], best_noise[which] = tried.detach()[which], noise.detach()[which]
            adam.step()
            normalize_noise(noise, shapes)
            if watch is not None:
                watch(step + 1, best_w.expand(-1, self.synthesis.num_ws, -1), best_noise)
            if not wobble and step % every == 0:
                active = active[best[active] < (1 - FLAT) * before[active]]
                before = best.clone()
                if not len(active):
                    break
        return best_w.expand(-1, self.synthesis.num_ws, -1).contiguous(), best_noise

    def _losses(self, w: Tensor, noise: Tensor, active: Tensor) -> Tensor:
        """[n] of the images `active`."""
        mask = self.mask if self.mask is None or len(self.mask) == 1 else self.mask[active]
        images = self.synthesis.image(w.expand(-1, self.synthesis.num_ws, -1), noise).float()
        perceptual = (self.distance.features(images, mask) - self.wanted[active]).square().sum(dim=1)
        return perceptual + PIXEL_WEIGHT * pixel_term(images, self.targets[active], mask)


def _ramp(progress: float) -> float:
    """The learning rate's factor: up linearly, down by a cosine."""
    down = min(1.0, max(0.0, 1 - progress) / RATE_DOWN)
    return min(1.0, progress / RATE_UP) * (0.5 - 0.5 * math.cos(math.pi * down))


def pixel_term(images: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    """[N]: the mean squared error of images [N, C, H, W], averaged over resolutions, each half the one before, down to
    4 pixels a side. mask: as for Distance; errors count by it."""
    errors = images - targets
    weight = torch.ones_like(errors[:1, :1]) if mask is None else mask
    errors = errors * weight
    terms = []
    while True:
        terms.append(errors.square().mean(dim=(1, 2, 3)) / weight.mean(dim=(1, 2, 3)))
        if min(errors.shape[2:]) // 2 < COARSEST:
            return torch.stack(terms).mean(dim=0)
        errors = F.avg_pool2d(errors, 2)
