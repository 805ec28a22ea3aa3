"""Everything that defines a run. Its parts check themselves."""

from dataclasses import dataclass, field

from ..labels.attribute import Attribute
from .augment import AugmentConfig
from .data import DataConfig
from .network import NetworkConfig
from .settings import require
from .start import StartConfig
from .training import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run, as its config.json keeps it."""

    data: DataConfig
    network: NetworkConfig
    augment: AugmentConfig
    training: TrainingConfig
    classes: tuple[str, ...]  # names, in the order of the label vector; with attributes, combinations of their values
    attributes: tuple[Attribute, ...] = ()  # in the order of the label vector; () where it is of classes
    fingerprint: str  # of the data set: pixels, labels and how they were prepared
    window: tuple[float, float] | None = None  # values of black and white, of images with more than 8 bits
    mask_kinds: tuple[str, ...] = ()  # of the masks that are trained with the images, in the order of their channels
    start: StartConfig = field(default_factory=StartConfig)

    def __post_init__(self) -> None:
        require(
            self.augment.ada_signal != "rv" or self.data.holdout > 0 or self.augment.ada_p is not None,
            "`ada_signal` rv needs images that training never sees: add `holdout` 0.1",
        )
