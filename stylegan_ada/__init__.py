"""Train StyleGAN2 with adaptive discriminator augmentation on a few thousand images, and use what it learned."""

from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import UserError

if TYPE_CHECKING:
    from .projection import Projection, project
    from .sampling import TrainedGenerator, load_generator

__all__ = ["Projection", "TrainedGenerator", "UserError", "__version__", "load_generator", "project"]


def __getattr__(name: str) -> Any:
    # torch is imported when a generator is first asked for, not by `stylegan-ada --help`
    if name in ("TrainedGenerator", "load_generator"):
        from . import sampling

        return getattr(sampling, name)
    if name in ("Projection", "project"):
        from . import projection

        return getattr(projection, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
