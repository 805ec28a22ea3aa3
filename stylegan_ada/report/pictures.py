"""The page's pictures of images."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from ..datasets import ImageDataset
from ..labels.attribute import Value
from ..labels.label_space import LabelSpace
from ..metrics.evaluate import Evaluation, RealImages, closest_pairs
from ..metrics.mathematics.memorisation import Copies
from ..pictures.grids import MOST_ROWS, image_grid, pair_grid
from ..pictures.masks import marked_on
from ..pixels import nhwc
from ..sampling import sample_grid
from .page import Picture

COLUMNS = 8
SWEEP = (0.3, 0.5, 0.7, 0.85, 1.0)  # truncation_psi


def pictures(evaluation: Evaluation, copies: Copies | None, show_real: bool) -> list[Picture]:
    """Samples by class, real images beside them, truncation, and the closest pairs, of what was evaluated."""
    generator, real = evaluation.generator, evaluation.real
    small = max(generator.image_shape[1:]) <= 128  # larger ones are photographs of which JPEG keeps enough
    rows = "a row per class, " if generator.classes else ""
    if not generator.labels.is_flat:
        rows = "a row per value of an attribute, the others drawn, "
    found = [
        Picture(
            title="Generated images",
            caption=f"{rows}each from a seed of its own, not chosen; without truncation{edges(generator.mask_kinds)}",
            image=sample_grid(generator, COLUMNS),
            lossless=small,
        )
    ]
    if show_real:
        found.append(
            Picture(
                title="Real images",
                caption=f"{rows}the first of each" if generator.classes else "the first of the set",
                image=real_grid(real, generator.labels),
                lossless=small,
            )
        )
    names = generator.classes[:COLUMNS] or [None] * COLUMNS
    labels = None if names[0] is None else list(names)
    sweep = [marked_on(*generator.shown_pairs(range(len(names)), labels, psi)) for psi in SWEEP]
    found.append(
        Picture(
            title="Truncation",
            caption="truncation_psi at the left: towards 0 images are cleaner and more alike; a column is a seed"
            + (" and a class" if labels else ""),
            image=image_grid(sweep, [f"psi {truncation_psi:g}" for truncation_psi in SWEEP]),
            lossless=small,
        )
    )
    if show_real and copies is not None:
        found.append(
            Picture(
                title="Closest to training images",
                caption="the generated images nearest to a training image, each above it: is it the same picture?",
                image=pair_grid(*closest_pairs(generator, real, evaluation.features, copies)),
                lossless=small,
            )
        )
    return found


def real_grid(real: RealImages, space: LabelSpace) -> Image:
    """A grid laid out as `sample_grid`'s, of the images that were trained on, or compared with. space: the generator's
    labels."""
    dataset = real.dataset
    members = real.reference if real.trained_on is None else real.trained_on
    if dataset.labels is None:
        groups = [("", members[first : first + COLUMNS]) for first in range(0, COLUMNS * COLUMNS, COLUMNS)]
    elif dataset.attributes:
        groups = [(text, _showing(dataset, members, space.named(text))) for text in space.shown(MOST_ROWS)]
    else:
        named = enumerate(dataset.classes[:MOST_ROWS])
        groups = [(name, members[dataset.labels[members] == label][:COLUMNS]) for label, name in named]
    kept = [(name, group) for name, group in groups if len(group)]
    names = [name for name, _ in kept] if dataset.labels is not None else ()
    shown = [nhwc(dataset.images[group]) for _, group in kept]
    if dataset.masks is not None:
        shown = [marked_on(images, nhwc(dataset.masks[group])) for images, (_, group) in zip(shown, kept, strict=True)]
    return image_grid(shown, names)


def edges(kinds: Sequence[str]) -> str:
    """What a caption adds about masks, if there are any."""
    return f"; the edges of what masks mark ({', '.join(kinds)}) are coloured" if kinds else ""


def _showing(dataset: ImageDataset, members: NDArray[np.int64], named: Mapping[str, Value]) -> NDArray[np.int64]:
    """The first members that have a value, or those with the nearest numbers. named: one attribute."""
    ((name, wanted),) = named.items()
    place = [attribute.name for attribute in dataset.attributes].index(name)
    values = [dataset.rows[index][place] for index in members]
    if isinstance(wanted, float):
        apart = [abs(value - wanted) if isinstance(value, float) else np.inf for value in values]
        return members[np.argsort(apart, kind="stable")[:COLUMNS]]
    has = [value == wanted for value in values]
    return members[np.array(has)][:COLUMNS]
