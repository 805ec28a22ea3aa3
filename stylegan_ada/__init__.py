"""Train StyleGAN2 with adaptive discriminator augmentation on a few thousand images, and use what it learned."""

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import RunFailed, UserError

if TYPE_CHECKING:
    from .api import evaluate, export_generator, import_network, train
    from .config.preparation import Preparation
    from .datasets import load_dataset
    from .projection import Projection, project
    from .projection.image_files import project_folder
    from .sampling import TrainedGenerator, load_generator
    from .synthetic import SyntheticDataset
    from .synthetic.dataset import make_dataset
    from .training.adversarial_loss import AdversarialLoss

__all__ = [
    "AdversarialLoss",
    "Preparation",
    "Projection",
    "RunFailed",
    "SyntheticDataset",
    "TrainedGenerator",
    "UserError",
    "__version__",
    "evaluate",
    "export_generator",
    "import_network",
    "load_dataset",
    "load_generator",
    "make_dataset",
    "project",
    "project_folder",
    "train",
]
PLACES = {  # torch is imported when one of these is first asked for, not by `stylegan-ada --help`
    "AdversarialLoss": "training.adversarial_loss",
    "Preparation": "config.preparation",
    "Projection": "projection",
    "SyntheticDataset": "synthetic",
    "TrainedGenerator": "sampling",
    "evaluate": "api",
    "export_generator": "api",
    "import_network": "api",
    "load_dataset": "datasets",
    "load_generator": "sampling",
    "make_dataset": "synthetic.dataset",
    "project": "projection",
    "project_folder": "projection.image_files",
    "train": "api",
}


def __getattr__(name: str) -> Any:
    if name in PLACES:
        return getattr(importlib.import_module(f".{PLACES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
