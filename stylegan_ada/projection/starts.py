"""The start of the search for a latent: what w is like, and the sampled latent that comes nearest."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..random import Draws
from ..sampling import TrainedGenerator
from .distance import Distance

SAMPLES = 10_000  # StyleGAN2, appendix D
PART = 16  # images at once


@dataclass(frozen=True, eq=False)
class Starts:
    """mean: of w, [w_dim]. spread: the root of w's mean squared distance from it. w: [K + 1, w_dim], the mean and K
    samples; images: what they give without noise, [K + 1, C, H, W]."""

    mean: Tensor
    spread: Tensor
    w: Tensor
    images: Tensor


@torch.no_grad()
def sample_w(generator: TrainedGenerator, label: str | None, count: int = SAMPLES, seed: int = 0) -> Tensor:
    """[count, w_dim]: w of random z. label: a class's name or a text of attributes; what it does not name is drawn, as
    all is where it is None."""
    z = Draws(seed, "project/z", torch.arange(count, device=generator.device)).normal(generator.info.network.z_dim)
    return generator.network.mapping(z, drawn_vectors(generator, label, count, seed))


def drawn_vectors(generator: TrainedGenerator, label: str | None, count: int, seed: int) -> Tensor:
    """[count, c_dim]: label vectors, of which `label` names some values or none, and the others are drawn by seed, as
    the generator's images of these seeds have them."""
    rows = generator.label_rows(range(seed * count, (seed + 1) * count), None if label is None else [label] * count)
    return torch.from_numpy(generator.labels.vectors(rows)).to(generator.device)


@torch.no_grad()
def find_starts(generator: TrainedGenerator, label: str | None, candidates: int, seed: int) -> Starts:
    """The starts of one label, as `sample_w` takes it."""
    samples = sample_w(generator, label, max(SAMPLES, candidates), seed)
    mean = samples.mean(dim=0)
    spread = (samples - mean).square().sum(dim=1).mean().sqrt()
    w = torch.cat([mean[None], samples[:candidates]])
    network = generator.network
    images = torch.cat([network.synthesis.image(network.broadcast(part), None).float() for part in w.split(PART)])
    return Starts(mean, spread, w, images)


@torch.no_grad()
def start_distances(starts: Starts, targets: Tensor, distance: Distance, mask: Tensor | None) -> Tensor:
    """[N, K + 1]: how far each target [N, C, H, W] is from each start. mask: [N, 1, H, W], [1, 1, H, W] or None."""
    if mask is not None and len(mask) > 1:  # each mask sees other candidates
        pairs = zip(targets.split(1), mask.split(1), strict=True)
        return torch.cat([start_distances(starts, target, distance, part) for target, part in pairs])
    wanted = distance.features(targets, mask)
    columns = []
    for part in starts.images.split(PART):
        features = distance.features(part, mask)
        columns.append(torch.stack([(features - row).square().sum(dim=1) for row in wanted]))
    return torch.cat(columns, dim=1)
