"""The configuration of a run: frozen dataclasses that check themselves, with the options of `train` as fields. No
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
