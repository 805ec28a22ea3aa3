"""A classifier, taught on real images, that tells which augmentation shows in an image."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FOLDS = 3


class AugmentationClassifier:
    """Tells which augmentation an image went through, by a support vector machine on its pixels.

    versions: the same images, flattened, [N, D], as they are (first) and after each augmentation, by name.
    """

    def __init__(self, versions: dict[str, NDArray[np.float32]]):
        self.names = tuple(versions)
        count = len(versions[self.names[0]])
        self._pixels = np.concatenate(list(versions.values()))
        self._version = np.repeat(np.arange(len(self.names)), count)
        self._image = np.tile(np.arange(count), len(self.names))
        self._fitted = _classifier().fit(self._pixels, self._version)

    def shares(self, pixels: NDArray[np.float32]) -> dict[str, float]:
        """The share of images [M, D] that is taken for each version; they add up to 1."""
        read = np.bincount(self._fitted.predict(pixels), minlength=len(self.names))
        return dict(zip(self.names, (read / len(pixels)).tolist(), strict=True))

    def recognised(self) -> dict[str, float]:
        """The share of each version that is taken for what it is, of images whose other versions were not seen."""
        from sklearn.model_selection import GroupKFold, cross_val_predict

        read = cross_val_predict(_classifier(), self._pixels, self._version, groups=self._image, cv=GroupKFold(FOLDS))
        right = read == self._version
        return {name: float(right[self._version == index].mean()) for index, name in enumerate(self.names)}


def _classifier() -> "Pipeline":
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(C=10.0))
