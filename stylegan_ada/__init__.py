"""Train StyleGAN2 with adaptive discriminator augmentation on a few thousand images, and use what it learned."""

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import UserError

if TYPE_CHECKING:
    from .projection import Projection, project
    from .sampling import TrainedGenerator, load_generator
    from .synthetic import SyntheticDataset

__all__ = [
    "Projection",
    "SyntheticDataset",
    "TrainedGenerator",
    "UserError",
    "__version__",
    "load_generator",
    "project",
]
ROOMS = {  # torch is imported when one of these is first asked for, not by `stylegan-ada --help`
    "Projection": "projection",
    "SyntheticDataset": "synthetic",
    "TrainedGenerator": "sampling",
    "load_generator": "sampling",
    "project": "projection",
}


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return getattr(importlib.import_module(f".{ROOMS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
