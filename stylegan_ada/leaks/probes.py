"""Augmentations made visible: each alone, and never the identity, so that one can learn what it looks like."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..augment import AugmentPipe
from ..augment.blit import apply_blit
from ..config import ExtraAugmentation
from ..config.augment import AUGMENT_GROUPS
from ..random import Draws

Probe = Callable[[Tensor, Draws], Tensor]  # images [N, C, H, W] in [-1, 1], draws for each -> changed images

OWN_PROBES = ("blit", "color")  # they also draw "unchanged", and several things that are better told one by one


def probes(
    groups: Sequence[str], extra: Sequence[ExtraAugmentation], image_shape: tuple[int, int, int]
) -> dict[str, Probe]:
    """The probes to look with, by name, after images were augmented by these groups and extra augmentations.

    "mirrored" and "turned" for blit, "inverted" for color; the other groups by their own names, the extra ones by the
    names of their classes (with a number from the second of a name on), as they are at p = 1.
    """
    found: dict[str, Probe] = {}
    if "blit" in groups:
        found |= {"mirrored": _mirrored, "turned": _turned}
    if "color" in groups:
        found["inverted"] = _inverted
    for group in AUGMENT_GROUPS:
        if group in groups and group not in OWN_PROBES:
            found[group] = _always(AugmentPipe([group], image_shape))
    for entry in extra:
        same = sum(name.split(" ")[0] == entry.name for name in found)
        found[f"{entry.name} {same + 1}" if same else entry.name] = _always(AugmentPipe([], image_shape, [entry]))
    return found


def _mirrored(images: Tensor, draws: Draws) -> Tensor:
    return images.flip(3)


def _turned(images: Tensor, draws: Draws) -> Tensor:
    """Turns images by one to three quarter turns; those that are not square by half a turn."""
    square = images.shape[2] == images.shape[3]
    turns = 1 + draws.integers(3) if square else 2 + 0 * draws.integers(3)
    none = torch.zeros_like(turns)
    return apply_blit(images, torch.stack([none, turns, none, none], dim=1))


def _inverted(images: Tensor, draws: Draws) -> Tensor:
    return -images


def _always(pipe: AugmentPipe) -> Probe:
    return lambda images, draws: pipe(images, draws, torch.ones((), device=images.device))
