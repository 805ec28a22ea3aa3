"""Mirror images and turned images, for domains in which these are as true as the originals."""

import torch
from torch import Tensor

from ..config.data import MIRRORS
from ..errors import UserError, nearest
from ..random import Draws


def mirror_images(images: Tensor, mode: str | None, draws: Draws) -> Tensor:
    """Flip or turn each image at random, on the images' device and without waiting for it.

    images: [N, C, H, W] of any dtype. mode: "h" left-right or not, "v" top-bottom or not, "hv" each of both or not,
    "quarter" one of the four quarter turns (square images); every outcome is as likely as the others. None changes
    nothing and draws nothing. draws: of the N images. Raises UserError for an unknown mode or a turn of oblongs.
    """
    if mode is None:
        return images
    check_mirror(mode, images.shape[2], images.shape[3])
    if mode == "quarter":
        turns = draws.integers(4)  # [N]
        images = _where(turns >= 2, images.flip(2, 3), images)
        return _where(turns % 2 == 1, images.rot90(1, (2, 3)), images)
    gates = draws.integers(2, len(mode)) == 1  # [N, flips]
    for gate, axis in zip(gates.unbind(1), mode, strict=True):
        images = _where(gate, images.flip(3 if axis == "h" else 2), images)
    return images


def check_mirror(mode: str, height: int, width: int) -> None:
    """Raises UserError if there is no such mode, or if it would turn images that are not square."""
    if mode not in MIRRORS:
        raise UserError(f"no mirror mode {mode!r}: {nearest(mode, MIRRORS)}")
    if mode == "quarter" and height != width:
        raise UserError(f"quarter turns need square images, not {height}x{width}: choose `mirror` h, v or hv")


def _where(gate: Tensor, changed: Tensor, images: Tensor) -> Tensor:
    return torch.where(gate[:, None, None, None], changed, images)
