"""Pivotal tuning: the generator is fine-tuned round a found latent (Roich et al. 2021, arXiv 2106.05744)."""

import copy
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import UserError, first_line
from ..files import atomic_path
from ..random import Draws
from ..sampling import TrainedGenerator
from .distance import Distance
from .latents import digest

FORMAT = "stylegan_ada tuning 1"
RATE = 3e-4  # the paper's, as the weights of the terms are
PIXELS = 1.0
LOCALITY = 0.1
BETWEEN = 0.5  # of the way from the pivot to a sampled w; the paper goes a fixed length, which depends on w's scale

Deltas = dict[str, Tensor]


def tune(
    generator: TrainedGenerator,
    w: Tensor,
    noise: Tensor,
    targets: Tensor,
    samples: Tensor,
    distance: Distance,
    *,
    mask: Tensor | None = None,
    steps: int = 350,
    seed: int = 0,
) -> Deltas:
    """The differences to add to the synthesis network's weights, float16, so that w gives the target (eqs. 2 to 5).

    w: [N, num_ws, w_dim], the pivots, tuned for together. noise: [N, noise_size]. targets: [N, C, H, W], about [-1, 1].
    samples: [M, w_dim], between which and the pivots the images shall stay what they were. mask: as for Distance.
    """
    before = generator.network.synthesis
    synthesis = copy.deepcopy(before).requires_grad_(True)
    adam = torch.optim.Adam(synthesis.parameters(), lr=RATE)
    draws = Draws(seed, "project/tune", torch.arange(1, device=w.device))
    wanted = distance.features(targets, mask)
    for _ in range(steps):
        images = synthesis.image(w, noise).float()
        loss = _loss(distance.features(images, mask), wanted, images, targets, mask)
        other = samples[draws.integers(len(samples), 1)[0]]  # [1, w_dim]
        between = torch.lerp(w[:1], other[:, None].expand_as(w[:1]), BETWEEN)
        with torch.no_grad():
            kept = before(between, noise[:1]).float()
        found = synthesis.image(between, noise[:1]).float()
        loss = loss + LOCALITY * _loss(distance.features(found), distance.features(kept), found, kept, None)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
    with torch.no_grad():
        old = dict(before.named_parameters())
        deltas = {name: (new - old[name]).half().cpu() for name, new in synthesis.named_parameters()}
    return {name: delta for name, delta in deltas.items() if delta.any()}


def _loss(features: Tensor, wanted: Tensor, images: Tensor, targets: Tensor, mask: Tensor | None) -> Tensor:
    difference = images - targets if mask is None else (images - targets) * mask
    return (features - wanted).square().sum(dim=1).mean() + PIXELS * difference.square().mean()


def tuned(generator: TrainedGenerator, deltas: Deltas) -> TrainedGenerator:
    """A generator with the differences added; the one given stays as it is."""
    network = copy.deepcopy(generator.network)
    parameters = dict(network.synthesis.named_parameters())
    with torch.no_grad():
        for name, delta in deltas.items():
            parameters[name].add_(delta.to(parameters[name]))
    return TrainedGenerator(network, generator.info)


def save_deltas(path: Path, deltas: Deltas, generator: TrainedGenerator) -> None:
    """Writes differences to `generator` as safetensors, with the digest of that generator."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(deltas, metadata={"format": FORMAT, "generator": digest(generator)}))


def load_deltas(path: Path, generator: TrainedGenerator) -> Deltas:
    """Reads a file of `save_deltas`, without running code. UserError if it is none, or another generator's."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            deltas = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a tuning that this version reads ({first_line(error)})") from None
    if metadata.get("format") != FORMAT:
        raise UserError(f"{path}: its format is {metadata.get('format')!r}, this version reads {FORMAT!r}")
    if metadata.get("generator") != digest(generator):
        raise UserError(f"{path}: was made with another generator, name the run that it was made with")
    shapes = {name: parameter.shape for name, parameter in generator.network.synthesis.named_parameters()}
    if any(shapes.get(name) != delta.shape for name, delta in deltas.items()):
        raise UserError(f"{path}: its tensors are not those of this generator")
    return deltas
