"""Augmentations that a user adds by name: kornia's, each at the pipe's probability p, image by image."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..config import ExtraAugmentation
from ..errors import UserError, first_line, nearest
from ..random import Draws

SEEDS = 2**24
SHAPE = "forward_input_shape"  # kornia's only parameter that is not a row per image


@dataclass(frozen=True)
class ExtraParameters:
    """fired: bool [N]; values: kornia's own parameters by name, a row per image."""

    fired: Tensor
    values: dict[str, Tensor]


class ExtraAugmentations(nn.Module):
    """kornia's augmentations by class name and arguments, applied in their order. Where masks lie behind an image's
    channels, those that move pixels take them along, the others leave them as they are.

    kornia is imported here only. Each takes images in [0, 1], must keep their shape and be differentiable twice: that
    is tried at once. UserError for one that is not there, takes other arguments, or fails in that.
    """

    def __init__(self, entries: Sequence[ExtraAugmentation], image_shape: tuple[int, int, int]):
        super().__init__()
        self.image_shape = image_shape
        self.transforms = nn.ModuleList(_make(entry) for entry in entries)
        for entry, transform in zip(entries, self.transforms, strict=True):
            _try(entry.name, transform, image_shape)

    def draw(self, draws: Draws, p: Tensor) -> list[ExtraParameters]:
        """Parameters of each augmentation. kornia draws from torch's global generator: it is seeded for each image, and
        left as it was."""
        drawn = []
        for transform in self.transforms:
            fired = draws.uniform() < p
            seeds = draws.integers(SEEDS).tolist()
            rows = [_draw_one(transform, seed, self.image_shape) for seed in seeds]
            drawn.append(ExtraParameters(fired, _by_rows(rows)))
        return drawn

    def forward(self, images: Tensor, parameters: Sequence[ExtraParameters]) -> Tensor:
        """images [N, C, H, W] in [-1, 1]; where one fires they are clamped to that first."""
        for transform, drawn in zip(self.transforms, parameters, strict=True):
            channels = images.shape[1] if _moves_pixels(transform) else self.image_shape[0]
            before, rest = images[:, :channels], images[:, channels:]
            changed = _transform(transform, before.clamp(-1, 1) / 2 + 0.5, drawn.values) * 2 - 1
            changed = torch.where(drawn.fired[:, None, None, None], changed, before)
            images = torch.cat([changed, rest], dim=1) if rest.shape[1] else changed
        return images


def _moves_pixels(transform: nn.Module) -> bool:
    """Whether masks must move with the image. Some of kornia's that move, such as elastic ones, are neither geometric
    nor of intensity."""
    from kornia.augmentation import IntensityAugmentationBase2D

    return not isinstance(transform, IntensityAugmentationBase2D)


def _make(entry: ExtraAugmentation) -> nn.Module:
    import kornia.augmentation as kornia
    from kornia.augmentation._2d.base import AugmentationBase2D

    names = [name for name, kind in vars(kornia).items() if _is_augmentation(kind, AugmentationBase2D)]
    if entry.name not in names:
        raise UserError(f"`augment_extra` {entry.name}: kornia has no such augmentation, {nearest(entry.name, names)}")
    arguments = {name: _as_tuple(value) for name, value in json.loads(entry.arguments).items()}
    try:
        return getattr(kornia, entry.name)(**{**arguments, "p": 1.0})
    except Exception as error:  # kornia checks arguments by exceptions of several kinds
        raise UserError(f"`augment_extra` {entry.name}: {first_line(error)}") from None


def _is_augmentation(kind: object, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base) and not kind.__name__.endswith("Base2D")


def _as_tuple(value: Any) -> Any:
    """Lists, which files have, as tuples, which kornia asks for."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def _draw_one(transform: Any, seed: int, image_shape: tuple[int, int, int]) -> dict[str, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        drawn: dict[str, Tensor] = transform.forward_parameters(torch.Size([1, *image_shape]))
        return drawn


def _by_rows(rows: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Parameters of several images, each drawn for itself, as those of a batch."""
    return {name: torch.cat([row[name] for row in rows]) for name in rows[0] if name != SHAPE}


def _transform(transform: Any, images: Tensor, values: dict[str, Tensor]) -> Tensor:
    moved = {name: value.to(images.device) for name, value in values.items()}
    result: Tensor = transform(images, params={**moved, SHAPE: torch.tensor(images.shape)})
    return result.to(images.dtype)


def _try(name: str, transform: nn.Module, image_shape: tuple[int, int, int]) -> None:
    """Raises UserError if the augmentation does not do what the training needs."""
    ramp = torch.linspace(0.1, 0.9, image_shape[0] * image_shape[1] * image_shape[2]).reshape(1, *image_shape)
    images = ramp.repeat(2, 1, 1, 1).requires_grad_()
    rows = [_draw_one(transform, seed, image_shape) for seed in (0, 1)]
    try:
        changed = _transform(transform, images, _by_rows(rows))
        if changed.shape != images.shape:
            raise UserError(f"makes {list(changed.shape[2:])} of {list(images.shape[2:])} pixels, must keep the size")
        (gradient,) = torch.autograd.grad(changed.square().sum(), images, create_graph=True)
        if not gradient.isfinite().all() or not gradient.any():
            raise UserError("has no gradient, so that the generator could not learn through it")
        torch.autograd.grad(gradient.square().sum(), images)
    except Exception as error:  # kornia's own, and torch's where something has no derivative
        raise UserError(f"`augment_extra` {name}: {first_line(error)}") from None


def read_extra(path: Path) -> tuple[ExtraAugmentation, ...]:
    """A list of kornia's augmentations, each with its `name` and, beside it, its arguments."""
    import yaml

    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"`augment_extra` {path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"`augment_extra` {path}: not YAML ({' '.join(str(error).split())})") from None
    if not isinstance(entries, list) or not entries:
        raise UserError(f"`augment_extra` {path}: must be a list, as: - name: RandomGaussianBlur")
    return tuple(_entry(path, number, entry) for number, entry in enumerate(entries, 1))


def _entry(path: Path, number: int, entry: object) -> ExtraAugmentation:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise UserError(f"`augment_extra` {path}: entry {number} has no name, as: - name: RandomGaussianBlur")
    arguments = {str(key): value for key, value in entry.items() if key != "name"}
    if "p" in arguments:
        raise UserError(f"`augment_extra` {path}: {entry['name']} has a p of its own, leave it out: all share one p")
    try:
        return ExtraAugmentation(name=entry["name"], arguments=json.dumps(arguments))
    except TypeError as error:
        raise UserError(f"`augment_extra` {path}: {entry['name']}: {error}") from None
