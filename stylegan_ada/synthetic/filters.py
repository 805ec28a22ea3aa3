"""The filters of generated images, which reject copies of training images, images of another class, and far-off
ones."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..metrics.feature_sets import FeatureSets, RealFeatures
from ..metrics.mathematics.label_classifier import LabelClassifier
from ..metrics.mathematics.manifold import DENSITY_K
from ..metrics.mathematics.memorisation import QUANTILE, unseen_distances
from ..metrics.mathematics.neighbours import Features, balls_around, kth_squared_distance, nearest_of
from ..metrics.mathematics.thumbnails import thumbnails
from ..metrics.networks.extractor import Extractor
from ..metrics.results import find_copies_of
from .plan import Recipe

KEPT, COPY, MISLABELLED, SPARSE, DUPLICATE, MASK_AREA = range(6)
REASONS = {
    COPY: "copies",
    MISLABELLED: "mislabelled",
    SPARSE: "not_best",
    DUPLICATE: "duplicates",
    MASK_AREA: "mask_area",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Judgement:
    """A judgement of n candidates. verdicts: int8 [n], KEPT or why not. scores: float64 [n] by the manifest's column.

    features, thumbnails: float32 [n, D], to find duplicates by; [n, 0] where those may stay.
    """

    verdicts: NDArray[np.int8]
    scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    features: Features
    thumbnails: Features


def accept_all(count: int) -> Judgement:
    """Keeps all candidates of a block."""
    nothing = np.zeros((count, 0), np.float32)
    return Judgement(verdicts=np.zeros(count, np.int8), features=nothing, thumbnails=nothing)


class Filters:
    """Judges blocks of candidates, each by itself, so that neither their order nor who does it matters.

    classes: the generator's. UserError where the real images do not serve a filter.
    """

    def __init__(self, recipe: Recipe, real: RealFeatures, classes: tuple[str, ...], extractor: Extractor):
        self.recipe, self.real, self.classes, self.extractor = recipe, real, classes, extractor
        self.duplicates: Duplicates | None = None
        try:
            if recipe.reject_copies:
                self._check_copies()
            if recipe.reject_mislabelled:
                self._check_labels()
            if recipe.reject_duplicates:
                self.duplicates = Duplicates(*self._seen())
            if recipe.keep_best < 1:
                for label in range(max(len(classes), 1)):
                    self._balls(label)
        except ValueError as error:
            raise UserError(f"too few real images to filter by ({error}): leave that filter out") from None

    def judge(self, images: NDArray[np.uint8], label: int) -> Judgement:
        """images: uint8 [n, H, W, C], made for class `label` of the generator's."""
        recipe, count = self.recipe, len(images)
        features = self.extractor.features(self.extractor.extract([images]))
        small = thumbnails(images)
        verdicts, scores = np.zeros(count, np.int8), {}
        if recipe.reject_copies:
            copies = find_copies_of(FeatureSets(real=self.real, generated=features, thumbnails=small))
            scores["copy_distance"] = copies.distance
            verdicts[copies.suspected] = COPY
        if recipe.reject_mislabelled:
            labels = np.full(count, self._real_label(label))
            scores["label_probability"] = self._classifier.probability(features, labels)
            correct = self._classifier.judge(features, labels).correct
            verdicts[(verdicts == KEPT) & ~correct] = MISLABELLED
        if recipe.keep_best < 1:
            density, order = self._density(features, label)
            scores["density"] = density
            passed = order[verdicts[order] == KEPT]
            verdicts[passed[int(np.ceil(len(passed) * recipe.keep_best)) :]] = SPARSE
        kept = slice(None) if recipe.reject_duplicates else slice(0)
        return Judgement(verdicts=verdicts, scores=scores, features=features[:, kept], thumbnails=small[:, kept])

    def _seen(self) -> tuple[Features, Features]:
        """Features and thumbnails of the training images."""
        if self.real.trained_on is None or self.real.trained_on_thumbnails is None:
            raise UserError("the filters need the training images, and `data` holds other images")
        return self.real.trained_on, self.real.trained_on_thumbnails

    def _check_copies(self) -> None:
        self._seen()
        if min(len(self.real.unseen_distances), len(self.real.unseen_thumbnail_distances)) < 2:
            raise ValueError("there are fewer than 2 unseen ones")

    def _check_labels(self) -> None:
        if not self.classes:
            raise UserError("`reject_mislabelled`: this generator was trained without labels")
        for label in range(len(self.classes)):
            self._real_label(label)
        _ = self._classifier

    @cached_property
    def _classifier(self) -> LabelClassifier:
        """The classifier, with equal priors: a rare class is what a balanced set is made for."""
        return LabelClassifier(*self.real.labelled, equal_priors=True)

    def _real_label(self, label: int) -> int:
        """The set's own number for a class of the generator."""
        name = self.classes[label]
        if name not in self.real.classes:
            raise UserError(f"class {name!r}: there are no real images of it to filter by")
        return self.real.classes.index(name)

    def _balls(self, label: int) -> tuple[Features, NDArray[np.float64]]:
        """The real images of one class, and the squared radius of each one's ball."""
        if self.classes:
            features, labels = self.real.labelled
            own = features[labels == self._real_label(label)]
        else:
            own = self.real.reference if self.real.trained_on is None else self.real.trained_on
        if len(own) < 2:
            raise ValueError("some class has fewer than 2")
        return own, kth_squared_distance(own, min(DENSITY_K, len(own) - 1))

    def _density(self, features: Features, label: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Density among the class's real images, and the order from the densest on. What lies in equally many balls is
        ordered by the distance to the nearest real image in units of that one's radius."""
        own, radii = self._balls(label)
        density = balls_around(features, own, radii) / min(DENSITY_K, len(own) - 1)
        index, distance = nearest_of(features, own)
        outside = distance / np.maximum(np.sqrt(radii[index]), 1e-12)
        return density, np.lexsort((outside, -density))


class Duplicates:
    """Two generated images are the same picture if they are nearer to each other than all but few real images are to
    their nearest neighbour: by features, or by thumbnails, the share QUANTILE of the real ones halved between both."""

    def __init__(self, features: Features, small: Features):
        self.thresholds = [float(np.quantile(unseen_distances(x, None), QUANTILE / 2)) for x in (features, small)]

    def among(self, block: Judgement) -> NDArray[np.float64]:
        """[n, n]: between a block's candidates, in units of the threshold; below 1 they are duplicates."""
        ways = zip((block.features, block.thumbnails), self.thresholds, strict=True)
        return np.minimum(*[_relative(np.linalg.norm(x[:, None] - x, axis=2), threshold) for x, threshold in ways])

    def to_nearest(self, block: Judgement, features: Features, small: Features) -> NDArray[np.float64]:
        """[n]: from each candidate to the nearest of other images, of these features and thumbnails, in that unit."""
        ways = zip((block.features, block.thumbnails), (features, small), self.thresholds, strict=True)
        return np.minimum(*[_relative(nearest_of(x, y)[1], threshold) for x, y, threshold in ways])


def _relative(distances: NDArray[np.floating], threshold: float) -> NDArray[np.float64]:
    if threshold == 0:  # many real images are there twice: nothing can be nearer
        return np.full(distances.shape, np.inf)
    return distances.astype(np.float64) / threshold
