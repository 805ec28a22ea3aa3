from typing import Any

import numpy as np
import pytest

from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.sampling import sample_grid


class Numbered:
    """Images of one gray level each: the seed, and 100 more for the second class."""

    def __init__(self, classes: tuple[Any, ...]) -> None:
        self.classes = classes
        self.labels = LabelSpace(classes, [1] * len(classes))

    def shown_pairs(self, seeds: Any, labels: Any, truncation_psi: Any) -> Any:
        kinds = [0] * len(seeds) if labels is None else [self.classes.index(label) for label in labels]
        levels = np.uint8([seed + 100 * kind for seed, kind in zip(seeds, kinds, strict=True)])
        images = np.broadcast_to(levels[:, None, None, None], (len(seeds), 64, 64, 1))
        return images, images[:, :, :, :0]


@pytest.mark.parametrize(
    ("classes", "levels"),
    [
        (("a", "b"), [[0, 1, 2], [103, 104, 105]]),
        ((), [[3 * row, 3 * row + 1, 3 * row + 2] for row in range(8)]),
    ],
)
def test_a_row_per_class_and_a_seed_per_cell(classes: tuple[Any, ...], levels: list[list[int]]) -> None:
    picture = np.asarray(sample_grid(Numbered(classes), columns=3))
    margin = picture.shape[1] - 3 * 64  # for the classes' names
    assert (margin > 0) == bool(classes)
    assert picture[32::64, margin + 32 :: 64, 0].tolist() == levels
