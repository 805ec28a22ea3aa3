"""Latents in files, and what can be made of them."""

import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError, first_line
from ..files import atomic_path
from ..labels.attribute import NUMBER
from ..labels.label_space import LabelSpace
from ..labels.texts import combination_name
from ..pixels import nhwc, to_uint8
from ..random import Draws
from ..sampling import TrainedGenerator
from .starts import drawn_vectors

BATCH = 32


@dataclass(frozen=True, eq=False)
class Latents:
    """w: float32 [N, num_ws, w_dim]. noise: float32 [N, noise_size]. labels: N class names or texts of attributes, ()
    without labels. space: "w" (the same w for all layers) or "w+". generator: the digest of the generator that they are
    of."""

    w: Tensor
    noise: Tensor
    labels: tuple[str, ...]
    space: str
    generator: str

    def pick(self, index: int) -> "Latents":
        """The latent at this index alone."""
        one = slice(index, index + 1)
        return replace(self, w=self.w[one], noise=self.noise[one], labels=self.labels[one])


def digest(generator: TrainedGenerator) -> str:
    """SHA-256 of the synthesis network's weights, 16 hexadecimal digits."""
    found = hashlib.sha256()
    for name, parameter in generator.network.synthesis.named_parameters():
        found.update(name.encode())
        found.update(parameter.detach().float().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def save_latents(path: Path, latents: Latents) -> None:
    """Writes the file of `write_latents`."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        write_latents(file, latents)


def write_latents(file: IO[bytes], latents: Latents) -> None:
    """Writes a .npz of the arrays w [N, num_ws, w_dim] and noise [N, noise_size] (float32), and labels [N], or [0]
    without classes, space and generator (text)."""
    np.savez(
        file,
        w=latents.w.float().cpu().numpy(),
        noise=latents.noise.float().cpu().numpy(),
        labels=np.array(latents.labels, dtype=np.str_),
        space=np.array(latents.space),
        generator=np.array(latents.generator),
    )


def load_latents(path: Path, generator: TrainedGenerator) -> Latents:
    """Reads a file of `save_latents`, onto the generator's device, without running code.

    UserError if it is none, or of another generator's shape. Whether it is of the very generator is for the caller to
    ask, by `digest`: after more training, latents often still mean much the same.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("w", "noise", "labels", "space", "generator")}
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        # numpy's words for another file than its own are advice to unpickle it
        reason = "no .npz" if isinstance(error, ValueError) else first_line(error)
        raise UserError(f"{path}: not a file of latents ({reason})") from None
    synthesis = generator.network.synthesis
    shapes = {"w": (synthesis.num_ws, generator.info.network.w_dim), "noise": (synthesis.noise_size,)}
    for name, shape in shapes.items():
        if arrays[name].shape[1:] != shape or arrays[name].dtype != np.float32 or not np.isfinite(arrays[name]).all():
            raise UserError(f"{path}: {name} is {list(arrays[name].shape)}, this generator takes [N, {shape}]")
    w, noise = (torch.from_numpy(arrays[name]).to(generator.device) for name in ("w", "noise"))
    if len(w) != len(noise) or not len(w):
        raise UserError(f"{path}: holds {len(w)} w and {len(noise)} noise, not one each")
    if arrays["labels"].shape not in ((0,), (len(w),)):
        raise UserError(f"{path}: labels is {list(arrays['labels'].shape)}, not one for each of {len(w)} latents")
    return Latents(w, noise, tuple(map(str, arrays["labels"])), str(arrays["space"]), str(arrays["generator"]))


def render(generator: TrainedGenerator, w: Tensor, noise: Tensor | None) -> NDArray[np.uint8]:
    """The images of `render_pairs`."""
    return render_pairs(generator, w, noise)[0]


@torch.inference_mode()
def render_pairs(
    generator: TrainedGenerator, w: Tensor, noise: Tensor | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images, uint8 [N, H, W, C], and masks as of `TrainedGenerator.sample_pairs`, uint8 [N, H, W, K], of
    w [N, num_ws, w_dim] and noise [N, noise_size], or [1, noise_size] for all, or None."""
    made = []
    for first in range(0, len(w), BATCH):
        part = noise if noise is None or len(noise) == 1 else noise[first : first + BATCH]
        batch = generator.network.synthesis(w[first : first + BATCH], part).float()
        made.append(nhwc(to_uint8(batch)).cpu().numpy())
    whole, channels = np.concatenate(made), generator.image_shape[0]
    return whole[..., :channels], whole[..., channels:]


def mix(w_a: Tensor, w_b: Tensor, layers: Iterable[int]) -> Tensor:
    """w_a [N, num_ws, w_dim], with the `layers` (0 is the coarsest) of w_b. arXiv 1812.04948, section 3.1."""
    mixed, layers = w_a.clone(), list(layers)
    mixed[:, layers] = w_b[:, layers]
    return mixed


def interpolate(w_a: Tensor, w_b: Tensor, frames: int) -> Tensor:
    """[frames, num_ws, w_dim]: from w_a to w_b, each [num_ws, w_dim], both included, in equal steps."""
    positions = torch.linspace(0, 1, frames, device=w_a.device)[:, None, None]
    return torch.lerp(w_a[None], w_b[None], positions)


def interpolate_noise(noise_a: Tensor, noise_b: Tensor, frames: int) -> Tensor:
    """[frames, noise_size]: from noise_a to noise_b, each [noise_size], both included.

    Between them length is interpolated too: a mere mean of two noises is weaker than either, and images get smooth.
    """
    positions = torch.linspace(0, 1, frames, device=noise_a.device)[:, None]
    path = torch.lerp(noise_a[None], noise_b[None], positions)
    lengths = torch.lerp(noise_a.norm()[None], noise_b.norm()[None], positions)
    return path * (lengths / path.norm(dim=1, keepdim=True).clamp(min=1e-8))


def class_name(space: LabelSpace, label: str) -> str:
    """The class of a label's text; of one that does not name all attributes the combination of the values that it
    names. A label that the generator does not know is its own class."""
    if space.is_flat or label in space.classes:
        return label
    try:
        named = space.named(label)
    except UserError:
        return label
    if all(one.kind == NUMBER or one.name in named for one in space.attributes):
        return space.class_of(tuple(named.get(one.name) for one in space.attributes))
    own = [one for one in space.attributes if one.name in named]
    return combination_name(own, [named[one.name] for one in own])


def layer_thirds(num_ws: int) -> list[tuple[int, int]]:
    """The first and last layer of the coarse, the middle and the fine third; of two layers there are two."""
    return [(int(part[0]), int(part[-1])) for part in np.array_split(np.arange(num_ws), 3) if len(part)]


def vary(
    generator: TrainedGenerator, w: Tensor, strength: float, count: int, seed: int = 0, label: str | None = None
) -> Tensor:
    """[count, num_ws, w_dim]: neighbours of w [num_ws, w_dim], each the way of `strength` (0 to 1) towards a sampled w.

    The samples are of `label`, a class's name or a text of attributes, or of all in the training set's shares.
    UserError for another label.
    """
    draws = Draws(seed, "vary/z", torch.arange(count, device=w.device))
    with torch.no_grad():
        z = draws.normal(generator.info.network.z_dim)
        others = generator.network.mapping(z, drawn_vectors(generator, label, count, seed))
    return torch.lerp(w[None], generator.network.broadcast(others), strength)
