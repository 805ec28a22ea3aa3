"""Whether generated images are copies of training images: are they nearer to them than unseen real images are?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .neighbours import Features, kth_squared_distance, nearest_of

QUANTILE = 0.05  # of unseen real images that count as copies by chance


@dataclass(frozen=True, eq=False)
class Copies:
    """suspected [M]: generated images nearer to a training image than `threshold`. control [n]: the same for unseen
    real images, so that its share is the rate of false alarms. nearest, distance [M]: the nearest training image of
    each generated one, and how far it is.
    """

    suspected: NDArray[np.bool_]
    control: NDArray[np.bool_]
    threshold: float
    nearest: NDArray[np.int64]
    distance: NDArray[np.float64]

    @property
    def share(self) -> float:
        return float(self.suspected.mean())

    @property
    def control_share(self) -> float:
        return float(self.control.mean())

    @property
    def excess(self) -> float:
        """The excess of the share over the control's, as two independent shares, in standard errors."""
        variances = [hits.mean() * (1 - hits.mean()) / len(hits) for hits in (self.suspected, self.control)]
        # a share of 0 or 1 has an error, too: that of one image more or less
        floor = 1 / len(self.control) ** 2
        return (self.share - self.control_share) / float(np.sqrt(max(sum(variances), floor)))


def find_copies(
    generated: Features,
    trained_on: Features,
    held_out: Features | None = None,
    *,
    quantile: float = QUANTILE,
    seed: int = 0,
) -> Copies:
    """Compare the distances of generated images [M, D] to training images [N, D] with those of unseen real ones [n, D].

    The threshold is the distance to the nearest training image below which a share `quantile` of one random half of the
    unseen images lies; the other half is the control, whose share therefore is near that. Without `held_out` each
    training image stands for an unseen one, with itself left out: where a set holds the same picture several times,
    that hides copies of it.
    ValueError for fewer than 2 training images or 2 unseen ones.
    """
    unseen = unseen_distances(trained_on, held_out)
    return copies_by_distance(generated, trained_on, unseen, quantile=quantile, seed=seed)


def either(one: Copies, other: Copies) -> Copies:
    """The copies found by either of two ways to compare the same images with the same seeds.

    Distances are then in units of each way's threshold, the shorter of the two; nearest is the image at that distance.
    """
    relative = np.stack([_relative(one), _relative(other)])
    nearest = np.where(relative[0] <= relative[1], one.nearest, other.nearest)
    return Copies(one.suspected | other.suspected, one.control | other.control, 1.0, nearest, relative.min(axis=0))


def _relative(copies: Copies) -> NDArray[np.float64]:
    if copies.threshold == 0:  # many real images are there twice: nothing can be nearer
        return np.full_like(copies.distance, np.inf)
    return copies.distance / copies.threshold


def unseen_distances(trained_on: Features, held_out: Features | None) -> NDArray[np.float64]:
    """[n]: how far each unseen real image is from the nearest training image, as in `find_copies`."""
    if held_out is None:
        return np.sqrt(kth_squared_distance(trained_on, 1))
    return nearest_of(held_out, trained_on)[1]


def copies_by_distance(
    generated: Features,
    trained_on: Features,
    unseen: NDArray[np.float64],
    *,
    quantile: float = QUANTILE,
    seed: int = 0,
) -> Copies:
    """`find_copies`, with the distances of `unseen_distances`."""
    if len(unseen) < 2:
        raise ValueError(f"{len(unseen)} unseen images cannot be halved")
    unseen = np.random.default_rng(seed).permutation(unseen)
    half = len(unseen) // 2
    threshold = float(np.quantile(unseen[:half], quantile))
    nearest, distance = nearest_of(generated, trained_on)
    return Copies(distance < threshold, unseen[half:] < threshold, threshold, nearest, distance)
