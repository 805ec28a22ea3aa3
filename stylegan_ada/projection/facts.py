"""The facts that the results of a projection depend on."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._version import __version__
from ..checkpoint import generator_file
from .inputs import InputImage
from .projector import Projector

OF_IMAGES = ("tune", "label", "fit", "batch", "images")  # which the distances of known images do not depend on


def projection_facts(
    projector: Projector,
    run: Path,
    items: Sequence[InputImage],
    mask: NDArray[np.float32] | None,
    *,
    label: str | None,
    fit: str,
    batch: int,
) -> dict[str, Any]:
    """All options of a folder of projections; images: the file by the name of its results."""
    return {
        "version": __version__,
        "generator": hashlib.sha256(generator_file(run).read_bytes()).hexdigest(),
        "device": projector.generator.device.type,
        "space": projector.space,
        "steps": projector.steps,
        "tune": projector.tune,
        "distance": projector.distance.identity,
        "candidates": projector.candidates,
        "seed": projector.seed,
        "mask": None if mask is None else hashlib.sha256(mask.tobytes()).hexdigest(),
        "label": label,
        "fit": fit,
        "batch": batch,
        "images": {item.name: str(item.file.absolute()) for item in items},
    }


def coverage_facts(options: dict[str, Any]) -> dict[str, Any]:
    """The facts that the distances of the run's own images depend on."""
    return {name: value for name, value in options.items() if name not in OF_IMAGES}
