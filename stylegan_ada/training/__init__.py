"""The trainer and what it consists of."""

from .outputs.memory import advice_on_memory
from .run_folder import RunFolder
from .start import train
from .trainer import Trainer

__all__ = ["RunFolder", "Trainer", "advice_on_memory", "train"]
