"""The images that each repetition of the experiment learns from: a seed's own draw of the real training images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..datasets.holdout.random_share import hold_out
from ..errors import UserError
from .real import LabelledImages

VALIDATION = 0.2  # of the real images drawn


@dataclass(frozen=True, eq=False)
class FitAndValidation:
    """Places in the training images, int64. fit: learned from. validation: to stop early by, and to choose by."""

    fit: NDArray[np.int64]
    validation: NDArray[np.int64]


def draw_fit_and_validation(train: LabelledImages, fraction: float, seed: int) -> FitAndValidation:
    """A random `fraction` of the real images of each class, at least 3 where there are as many, a fifth of them for
    validation; whole groups lie on one side. The same for all arms. UserError if no validation images are left."""
    rng = np.random.default_rng([seed, 7])
    order = rng.permutation(len(train))
    own = train.labels[order]
    chosen = []
    for label in np.unique(own):
        members = order[own == label]
        chosen.append(members[: max(round(len(members) * fraction), 3)])
    drawn = rng.permutation(np.concatenate(chosen))
    groups = train.groups
    validation = hold_out(drawn, train.labels, groups, VALIDATION)
    if not len(validation):
        raise UserError(
            f"{len(drawn)} real images leave none for validation: give more images, or a larger part by `fractions`"
        )
    return FitAndValidation(fit=np.sort(drawn[~np.isin(drawn, validation)]), validation=validation)
