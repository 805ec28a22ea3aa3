"""The table of metrics: all that lists them takes them from here. Imports no torch, since `--help` names them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from . import results
from .feature_sets import FeatureSets
from .results import MetricResult

MOST_IMAGES = 5000  # generated to measure by unless told, so that a large set does not take hours on a CPU
FID_RESAMPLES = 20  # for the intervals of FIDs, which take seconds each


class Direction(StrEnum):
    """The better direction of a metric's values, in words."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    NEITHER = ""


@dataclass(frozen=True)
class Metric:
    """function: of the features and the number of resamples, see `results`. sentence: what the metric is. pictured:
    whether it trains networks on small copies of the images, which takes long, so that it is only measured by name.
    of_attributes: whether it needs labels made of attributes."""

    function: Callable[[FeatureSets, int], MetricResult]
    direction: Direction
    sentence: str
    pictured: bool = False
    of_attributes: bool = False

    @property
    def meaning(self) -> str:
        """The sentence with the direction."""
        return f"{self.sentence} ({self.direction})" if self.direction else self.sentence


METRICS = {
    "fid": Metric(
        results.fid,
        Direction.LOWER,
        "distance between real and generated features as Gaussians; biased for few images",
    ),
    "kid": Metric(
        results.kid,
        Direction.LOWER,
        "the same comparison without that bias; if its interval includes 0, no difference was found",
    ),
    "precision": Metric(
        results.precision,
        Direction.HIGHER,
        "share of generated images that look like real ones",
    ),
    "recall": Metric(
        results.recall,
        Direction.HIGHER,
        "share of real images that the generator could have made",
    ),
    "density": Metric(
        results.density,
        Direction.NEITHER,
        "how much generated images crowd where real ones do; near 1 as among real ones",
    ),
    "coverage": Metric(
        results.coverage,
        Direction.HIGHER,
        "share of real images with a generated one nearby; 0.97 among real ones",
    ),
    "intra_fid": Metric(
        results.intra_fid,
        Direction.LOWER,
        "FID within each class, averaged",
    ),
    "inception_score": Metric(
        results.inception_score,
        Direction.HIGHER,
        "how clear and how varied images look to the network's own classes",
    ),
    "copies": Metric(
        results.copies,
        Direction.LOWER,
        "share of generated images nearer to a training image than 19 of 20 unseen real images are",
    ),
    "label_accuracy": Metric(
        results.label_accuracy,
        Direction.HIGHER,
        "share of generated images that a classifier of real images assigns to their label",
    ),
    "label_agreement": Metric(
        results.label_agreement,
        Direction.HIGHER,
        "how well classifiers and ridges of real images read each attribute as it was asked for",
        of_attributes=True,
    ),
    "gan_test": Metric(
        results.gan_test,
        Direction.HIGHER,
        "balanced accuracy on generated images of a small network that learned from real ones alone",
        pictured=True,
    ),
    "gan_train": Metric(
        results.gan_train,
        Direction.HIGHER,
        "balanced accuracy on real images of a small network that learned from generated ones alone",
        pictured=True,
    ),
}


def default_metrics(attributes: bool = False) -> tuple[str, ...]:
    """What is measured unless told: all that need no pictures, and no attributes where labels are not made of them."""
    return tuple(
        name for name, metric in METRICS.items() if not metric.pictured and (attributes or not metric.of_attributes)
    )


def pictured_metrics() -> tuple[str, ...]:
    """The metrics that need small copies of the images, and are only measured by name."""
    return tuple(name for name, metric in METRICS.items() if metric.pictured)


def measure(
    features: FeatureSets, metrics: tuple[str, ...], resamples: int = FID_RESAMPLES
) -> tuple[dict[str, MetricResult], dict[str, str]]:
    """The results of `metrics` (names of METRICS) that can be had, and for each of the others why not.

    resamples: for the intervals of FIDs; 0 for none.
    """
    found, left_out = {}, {}
    for name in metrics:
        try:
            found[name] = METRICS[name].function(features, resamples)
        except ValueError as error:
            left_out[name] = str(error)
    return found, left_out
