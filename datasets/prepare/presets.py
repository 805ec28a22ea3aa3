"""The pipelines of `data prepare` that have a name, for use without a pipeline's file."""

from dataclasses import dataclass
from typing import Any

from ...errors import UserError
from ...libraries.albumentations_files import import_albumentations

PREPARE_FITS = ("crop", "pad")
BORDER_MODES = {"black": 0, "edge": 1, "reflect": 4}  # OpenCV's numbers
INTER_AREA = 3  # OpenCV's


@dataclass(frozen=True)
class Preset:
    """fit, background: what is taken unless told."""

    fit: str
    background: str


PREPARE_PRESETS = {"photo": Preset("crop", "edge"), "defect": Preset("crop", "reflect"), "scan": Preset("pad", "black")}


def preset_pipeline(preset: str, size: tuple[int, int], fit: str | None, background: str | None) -> Any:
    """An albumentations.Compose without randomness, from an image of any size to one of `size` (height, width).

    fit "crop" cuts the centre, "pad" keeps the whole image on a background: "black", the row at the edge repeated
    ("edge"), or the image mirrored ("reflect"). None is the preset's own. UserError for a background without pad.
    """
    fit = fit or PREPARE_PRESETS[preset].fit
    if background and fit != "pad":
        raise UserError("`background`: nothing is padded when images are cropped, add `fit` pad or leave it out")
    border = BORDER_MODES[background or PREPARE_PRESETS[preset].background]
    return import_albumentations().Compose([*_brightness(preset), *_shape(size, fit, border)])


def _brightness(preset: str) -> list[Any]:
    """The steps before the shape's: padding must not count, and the reduction averages the noise that CLAHE raises."""
    albumentations = import_albumentations()
    if preset == "defect":
        # a pair, since of a single number albumentations would draw each image's limit
        return [albumentations.CLAHE(clip_limit=(1.5, 1.5), tile_grid_size=(4, 4), p=1.0)]
    if preset == "scan":
        gray = albumentations.ToGray(num_output_channels=1, p=1.0)
        return [gray, albumentations.AutoContrast(cutoff=0.5, method="pil", p=1.0)]
    return []


def _shape(size: tuple[int, int], fit: str, border: int) -> list[Any]:
    albumentations = import_albumentations()
    height, width = size
    if fit == "crop":
        scale = albumentations.SmallestMaxSize(max_size_hw=size, interpolation=INTER_AREA, p=1.0)
        return [scale, albumentations.CenterCrop(height, width, p=1.0)]
    scale = albumentations.LongestMaxSize(max_size_hw=size, interpolation=INTER_AREA, p=1.0)
    return [scale, albumentations.PadIfNeeded(height, width, border_mode=border, fill=0.0, p=1.0)]
