"""The augmentation pipe: draw parameters, then apply them, so that any augmentation can be replayed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import ExtraAugmentation
from ..config.augment import AUGMENT_GROUPS
from ..errors import UserError, nearest
from ..random import Draws
from .blit import apply_blit, draw_blit
from .color import apply_color, draw_color
from .corruption import apply_cutout, draw_cutout, draw_noise
from .extra import ExtraAugmentations, ExtraParameters
from .filtering import BandFilter, draw_bands
from .geometry import Warp, draw_geometry


@dataclass(frozen=True, kw_only=True)
class AugmentParameters:
    """The parameters of each group, for every image of a batch, in the order of application; None for a group that is
    off."""

    extra: list[ExtraParameters] | None  # of the user's own augmentations, in their order
    blit: Tensor | None  # int64 [N, 4]: flip, quarter turns counterclockwise, shift right, shift down
    geometry: Tensor | None  # float32 [N, 3, 3]: from the result's pixels to their sources, from the image's centre
    color: Tensor | None  # float32 [N, d + 1, d + 1]: affine map of colours; d is 3 for RGB, 4 for RGBA, else 1
    bands: Tensor | None  # float32 [N, 4]: amplification of bands of frequency, lowest first
    noise: Tensor | None  # float32 [N, C, H, W], to be added
    cutout: Tensor | None  # int64 [N, 4]: left, right, top, bottom of the rectangle to be blanked


class AugmentPipe(torch.nn.Module):
    """The groups of augmentations of arXiv 2006.06676, appendix B, each at the same probability p.

    groups: names out of AUGMENT_GROUPS, in any order; they are applied in the order of AUGMENT_GROUPS. image_shape: (C,
    H, W), C from 1 to 4, sides of at least 2; an image that is not square takes half turns only. C = 3 is taken for RGB
    and C = 4 for RGBA, its colours multiplied by alpha, which keeps its values under colour changes: channels of other
    images share brightness, contrast and luma flip, and have neither hue nor saturation. extra: the user's own
    augmentations, which come before the groups. mask_channels: of masks behind an image's channels; what moves pixels
    and cutout take them along, all else leaves them as they are.
    Raises UserError for an unknown group or an impossible shape.
    """

    def __init__(
        self,
        groups: Sequence[str],
        image_shape: tuple[int, int, int],
        extra: Sequence[ExtraAugmentation] = (),
        mask_channels: int = 0,
    ):
        super().__init__()
        for group in groups:
            if group not in AUGMENT_GROUPS:
                raise UserError(f"there is no augmentation group {group!r}: {nearest(group, AUGMENT_GROUPS)}")
        channels, height, width = image_shape
        if not 1 <= channels <= 4 or min(height, width) < 2:
            raise UserError(
                f"cannot augment images of shape {image_shape}: give 1 to 4 channels and sides of at least 2"
            )
        self.groups = tuple(group for group in AUGMENT_GROUPS if group in groups)
        self.image_shape, self.mask_channels = image_shape, mask_channels
        self.extra = ExtraAugmentations(extra, image_shape) if extra else None
        self.warp = Warp(height, width) if "geom" in groups else None
        self.band_filter = BandFilter(height, width) if "filter" in groups else None

    def draw(self, draws: Draws, p: Tensor) -> AugmentParameters:
        """Parameters for one image per sequence of `draws`. p: 0-dim float tensor in [0, 1], on their device."""
        on = set(self.groups)
        channels, height, width = self.image_shape
        return AugmentParameters(
            extra=None if self.extra is None else self.extra.draw(draws, p),
            blit=draw_blit(draws, p, height, width) if "blit" in on else None,
            geometry=draw_geometry(draws, p, height, width) if "geom" in on else None,
            color=draw_color(draws, p, channels) if "color" in on else None,
            bands=draw_bands(draws, p) if "filter" in on else None,
            noise=draw_noise(draws, p, self.image_shape) if "noise" in on else None,
            cutout=draw_cutout(draws, p, height, width) if "cutout" in on else None,
        )

    # the word of the field for it
    def apply(  # type: ignore[override] # hides Module.apply, a walk over submodules that is not needed here
        self, images: Tensor, parameters: AugmentParameters
    ) -> Tensor:
        """Augment images [N, C + mask_channels, H, W] in [-1, 1] (the result may go beyond); keeps shape and dtype.

        Half precisions are computed in float32. Differentiable any number of times with respect to the images.
        """
        dtype = images.dtype
        images = images.to(torch.promote_types(dtype, torch.float32))
        if parameters.extra is not None:
            assert self.extra is not None
            images = self.extra(images, parameters.extra)
        if parameters.blit is not None:
            images = apply_blit(images, parameters.blit)
        if parameters.geometry is not None:
            assert self.warp is not None
            images = self.warp(images, parameters.geometry)
        if self.mask_channels:
            colors, masks = images.split([self.image_shape[0], self.mask_channels], dim=1)
            images = torch.cat([self._change_values(colors, parameters), masks], dim=1)
        else:
            images = self._change_values(images, parameters)
        if parameters.cutout is not None:
            images = apply_cutout(images, parameters.cutout)
        return images.to(dtype)

    def _change_values(self, images: Tensor, parameters: AugmentParameters) -> Tensor:
        """The groups that leave every pixel in its place."""
        if parameters.color is not None:
            images = apply_color(images, parameters.color)
        if parameters.bands is not None:
            assert self.band_filter is not None
            images = self.band_filter(images, parameters.bands)
        if parameters.noise is not None:
            images = images + parameters.noise.to(images.dtype)
        return images

    def forward(self, images: Tensor, draws: Draws, p: Tensor) -> Tensor:
        """images [N, C, H, W] augmented by what is drawn at probability p: apply(images, draw(draws, p))."""
        return self.apply(images, self.draw(draws, p))
