"""The trainer and what it consists of."""

from .run_folder import RunFolder
from .trainer import Trainer, advice_on_memory

__all__ = ["RunFolder", "Trainer", "advice_on_memory"]
