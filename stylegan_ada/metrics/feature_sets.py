"""Features of real and of generated images, and what follows from them, computed once for all metrics."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..labels.attribute import Attribute, slices
from .mathematics.attribute_agreement import AttributeReader
from .mathematics.label_classifier import LabelClassifier
from .mathematics.manifold import DENSITY_K, PRECISION_K, density_coverage_hits, precision_recall_hits
from .mathematics.memorisation import unseen_distances
from .mathematics.neighbours import Features, kth_squared_distance
from .mathematics.pixel_statistics import PixelFigure, pixel_figures

if TYPE_CHECKING:
    from .judges import RealJudge, RealPictures


@dataclass(frozen=True, eq=False, kw_only=True)
class RealFeatures:
    """Features of real images, and what follows from them alone, computed once for many generators.

    reference [N, D]: to compare with. trained_on, held_out: training images, and real ones that training never saw;
    None where they are not known; their thumbnails, to find copies by as well. reference_pixels: `pixel_rows`. Labels,
    of each set's images, are 0 ... C - 1, None without; classes: their names. pictures: small copies of labelled
    images, None where no metric asks for them. reference_texts: the reference's labels as text. attributes: what labels
    are made of, () where they are classes; vectors: the label vectors of each set's images then.
    """

    reference: Features
    trained_on: Features | None = None
    held_out: Features | None = None
    trained_on_thumbnails: Features | None = None
    held_out_thumbnails: Features | None = None
    reference_pixels: Features | None = None
    reference_labels: NDArray[np.int64] | None = None
    trained_on_labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    pictures: "RealPictures | None" = None
    reference_texts: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    reference_vectors: NDArray[np.float32] | None = None
    trained_on_vectors: NDArray[np.float32] | None = None
    held_out_vectors: NDArray[np.float32] | None = None

    @cached_property
    def precision_radii(self) -> NDArray[np.float64]:
        return kth_squared_distance(self.reference, PRECISION_K)

    @cached_property
    def density_radii(self) -> NDArray[np.float64]:
        return kth_squared_distance(self.reference, DENSITY_K)

    @cached_property
    def unseen_distances(self) -> NDArray[np.float64]:
        assert self.trained_on is not None
        return unseen_distances(self.trained_on, self.held_out)

    @cached_property
    def unseen_thumbnail_distances(self) -> NDArray[np.float64]:
        assert self.trained_on_thumbnails is not None
        return unseen_distances(self.trained_on_thumbnails, self.held_out_thumbnails)

    @cached_property
    def labelled(self) -> tuple[Features, NDArray[np.int64]]:
        """The features and labels that a classifier can learn from: of all training images if they are known."""
        if self.trained_on is not None and self.trained_on_labels is not None:
            return self.trained_on, self.trained_on_labels
        if self.reference_labels is None:
            raise ValueError("there are no labels")
        return self.reference, self.reference_labels

    @cached_property
    def readers(self) -> list[AttributeReader]:
        """A reader of each attribute that can be learned. ValueError if there are none."""
        if self.trained_on is not None and self.trained_on_vectors is not None:
            features, vectors = self.trained_on, self.trained_on_vectors
        elif self.reference_vectors is not None:
            features, vectors = self.reference, self.reference_vectors
        else:
            raise ValueError("labels are classes, no attributes")
        found = []
        for attribute, part in zip(self.attributes, slices(self.attributes), strict=True):
            unseen = None
            if self.held_out is not None and self.held_out_vectors is not None:
                unseen = self.held_out, self.held_out_vectors[:, part]
            with suppress(ValueError):
                found.append(AttributeReader(attribute, features, vectors[:, part], unseen))
        return found

    @cached_property
    def classifier(self) -> LabelClassifier:
        return LabelClassifier(*self.labelled)

    @cached_property
    def real_judge(self) -> "RealJudge":
        from .judges import real_judge  # imports torch

        assert self.pictures is not None
        return real_judge(self.pictures)


@dataclass(frozen=True, eq=False, kw_only=True)
class FeatureSets:
    """Features of real and of generated images [M, D], of the generator's seeds seed * M ... seed * M + M - 1.

    labels [M]: what was asked for, None without labels; texts: the same as text; vectors [M, c_dim]: the same where
    labels are attributes, as the real images' are.
    logits [M, K]: of generated images, None where the network has none; thumbnails, pixels (`pixel_rows`): theirs, None
    where not made. pictures: uint8 [M, C, h, w], small copies of them, None where no metric asks for them.
    """

    real: RealFeatures
    generated: Features
    seed: int = 0
    labels: NDArray[np.int64] | None = None
    logits: Features | None = None
    thumbnails: Features | None = None
    pixels: Features | None = None
    pictures: NDArray[np.uint8] | None = None
    texts: tuple[str, ...] = ()
    vectors: NDArray[np.float32] | None = None

    @cached_property
    def precision_recall(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return precision_recall_hits(self.real.reference, self.generated, self.real.precision_radii)

    @cached_property
    def density_coverage(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        return density_coverage_hits(self.real.reference, self.generated, self.real.density_radii)

    @cached_property
    def pixel_figures(self) -> dict[str, PixelFigure]:
        """Pixel statistics by name, none where they were not made."""
        if self.pixels is None or self.real.reference_pixels is None:
            return {}
        return pixel_figures(self.pixels, self.real.reference_pixels)

    def of_class(self, label: int) -> tuple[Features, Features]:
        """Reference and generated features of one class."""
        return self.real.reference[self.real.reference_labels == label], self.generated[self.labels == label]
