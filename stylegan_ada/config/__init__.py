"""The configuration of a run: frozen dataclasses that check themselves, their fields the options of `train`. No
torch."""

from .augment import AugmentConfig, ExtraAugmentation
from .data import DataConfig
from .network import NetworkConfig
from .run import RunConfig
from .start import StartConfig
from .training import TrainingConfig

__all__ = [
    "AugmentConfig",
    "DataConfig",
    "ExtraAugmentation",
    "NetworkConfig",
    "RunConfig",
    "StartConfig",
    "TrainingConfig",
]
