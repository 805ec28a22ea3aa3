"""The trainer and what it consists of."""

from .run_folder import RunFolder
from .trainer import Trainer, smaller_micro_batch

__all__ = ["RunFolder", "Trainer", "smaller_micro_batch"]
