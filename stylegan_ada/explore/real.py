"""The real images of a run for its page: those nearest to a generated one, and what projections are judged by."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..metrics.evaluate import RealImages, check_fit, compute_real
from ..metrics.networks import make_extractor
from ..pixels import nhwc
from ..sampling import TrainedGenerator
from ..training.run_images import run_images
from .workbench import as_text

NEAREST = 4


class RealSide:
    """Opened when it is first asked for. hidden: no real image is shown."""

    def __init__(self, run: Path, data: str | None, generator: TrainedGenerator, hidden: bool) -> None:
        self.hidden = hidden
        self._run, self._data, self._generator = run, data, generator
        self._lock = threading.Lock()
        self._images: RealImages | None = None
        self._features: NDArray[np.float32] | None = None

    def images(self) -> RealImages:
        """UserError where there are none."""
        with self._lock:
            if self._images is None:
                found = run_images(self._run, self._data)
                check_fit(self._generator, found)
                self._images = found
            return self._images

    def nearest(self, image: NDArray[np.uint8]) -> list[dict[str, Any]]:
        """The training images nearest to one [H, W, C] by the features of EfficientNet-Lite0, nearest first. UserError
        where there are none, or they are not to be shown."""
        if self.hidden:
            raise UserError("real images are hidden")
        real = self.images()
        if real.trained_on is None:
            raise UserError("which images the generator has learned from is not known")
        with self._lock:
            extractor = make_extractor("lite0", self._generator.device, self._generator.image_shape[1:])
            if self._features is None:
                self._features = compute_real(real, extractor).trained_on
            assert self._features is not None
            own = extractor.features(extractor.extract(iter([image[None]])))
        distances = np.linalg.norm(self._features - own, axis=1)
        chosen = np.argsort(distances)[:NEAREST]
        indices = real.trained_on[chosen]
        dataset = real.dataset
        return [
            {"png": as_text(picture), "name": dataset.names[index], "distance": round(float(distance), 3)}
            for picture, index, distance in zip(
                nhwc(dataset.images[indices]), indices.tolist(), distances[chosen], strict=True
            )
        ]
