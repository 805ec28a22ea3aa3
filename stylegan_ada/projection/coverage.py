"""Whether a generator covers an image: how far it stays from real images that it ought to know."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import distributed
from ..errors import UserError
from ..files import cache_root, write_text
from ..folders import delete_left_behind
from ..metrics.evaluate import RealImages
from ..pixels import nhwc
from ..progress import Progress
from .folder import ResultFolder
from .projector import Projector

MOST = 32  # images
# of the limit: a known image that is projected again, among others, may differ by rounding, which 500 steps enlarge
TOLERANCE = 0.01


@dataclass(frozen=True)
class Coverage:
    """distances: the perceptual ones of known images of the run, projected without tuning. kind: "held-out images", or
    "training images" where none are held out."""

    distances: tuple[float, ...]
    kind: str

    @property
    def limit(self) -> float:
        """The largest of the distances."""
        return max(self.distances)

    def covers(self, distance: float) -> bool:
        """Whether an image's distance before tuning is one that known images reach."""
        return distance <= self.limit * (1 + TOLERANCE)


def measure_coverage(
    projector: Projector,
    real: RealImages,
    mask: NDArray[np.floating] | None,
    search: bool,
    batch: int,
    folder: ResultFolder,
    options: dict[str, Any],
    progress: Progress | None = None,
) -> Coverage:
    """Projects up to 32 known images of the run; writes `folder`'s coverage.json, and keeps it for later calls.

    options: all that the distances depend on, beside the images. search: their labels are searched, too. Under
    torchrun each process takes a share. What was projected before an interruption is not done again.
    """
    kind = "training images" if real.held_out is None else "held-out images"
    known = {**options, "real_images": real.dataset.fingerprint, "kind": kind, "search": search}
    key = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:32]
    kept, path = cache_root() / "coverage" / f"{key}.json", folder.path / "coverage.json"

    def take_kept() -> None:
        if _read(path, key) is None and (found := _read(kept, key)) is not None:
            _write(path, found, key)

    distributed.first_rank_first(lambda: take_kept() if distributed.rank() == 0 else None)
    found = _read(path, key)
    if found is not None:
        return found
    indices = spread(real.reference, MOST)
    parts = {folder.part(f"{key}-{first}"): indices[first : first + batch] for first in range(0, len(indices), batch)}
    distributed.every_rank(lambda: _project(projector.without_tuning(), real, mask, search, parts, progress))
    distances = [value for part in parts for value in json.loads(part.read_text(encoding="utf-8"))]
    found = Coverage(tuple(distances), kind)
    if distributed.rank() == 0:
        _keep(kept, found, key)  # first: where the folder has its file, nothing more is kept
        _write(path, found, key)
    return found


def spread(indices: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Picks at most `count` of the sorted indices, evenly spread, and so over classes in their shares."""
    if len(indices) <= count:
        return indices
    return indices[np.arange(count) * len(indices) // count]


def _project(
    projector: Projector,
    real: RealImages,
    mask: NDArray[np.floating] | None,
    search: bool,
    parts: Mapping[Path, NDArray[np.int64]],
    progress: Progress | None,
) -> None:
    """Writes the distances of the images at these indices to these files, where they are not there yet."""
    dataset = real.dataset
    mine = list(parts.items())[distributed.rank() :: distributed.world_size()]
    for done, (path, indices) in enumerate(mine, start=1):
        if not path.exists():
            images = np.ascontiguousarray(nhwc(dataset.images[indices]))
            labels = [] if dataset.labels is None or search else [dataset.classes[i] for i in dataset.labels[indices]]
            write_text(path, json.dumps(projector(images, labels, mask).untuned_distances.tolist()))
        if progress is not None:
            progress(done, len(mine))


def _write(path: Path, coverage: Coverage, key: str) -> None:
    about = {**asdict(coverage), "number": len(coverage.distances), "limit": coverage.limit, "key": key}
    write_text(path, json.dumps(about, indent=1) + "\n")


def _keep(path: Path, coverage: Coverage, key: str) -> None:
    """A cache that cannot be written costs time at the next call, no more: it only warns."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        delete_left_behind(path.parent)
        _write(path, coverage, key)
    except (OSError, UserError) as error:
        warnings.warn(f"the coverage was not kept for the next time: {error}", stacklevel=2)


def _read(path: Path, key: str) -> Coverage | None:
    """Reads a stored coverage; None if there is no such file, or something else in it."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return Coverage(tuple(map(float, about["distances"])), str(about["kind"])) if about["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
