"""The page's pictures of images."""

from PIL.Image import Image

from ..metrics.evaluate import Evaluation, RealImages, closest_pairs
from ..metrics.mathematics.memorisation import Copies
from ..pictures.grids import MOST_ROWS, image_grid, pair_grid
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
    found = [
        Picture(
            title="Generated images",
            caption=f"{rows}each from a seed of its own, not chosen; without truncation",
            image=sample_grid(generator, COLUMNS),
            lossless=small,
        )
    ]
    if show_real:
        found.append(
            Picture(
                title="Real images",
                caption=f"{rows}the first of each" if generator.classes else "the first of the set",
                image=real_grid(real),
                lossless=small,
            )
        )
    names = generator.classes[:COLUMNS] or [None] * COLUMNS
    labels = None if names[0] is None else list(names)
    sweep = [generator.sample_uint8(range(len(names)), labels, truncation_psi) for truncation_psi in SWEEP]
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


def real_grid(real: RealImages) -> Image:
    """A grid laid out as `sample_grid`'s, of the images that were trained on, or compared with."""
    dataset = real.dataset
    members = real.reference if real.trained_on is None else real.trained_on
    if dataset.labels is None:
        groups = [members[first : first + COLUMNS] for first in range(0, COLUMNS * COLUMNS, COLUMNS)]
    else:
        groups = [members[dataset.labels[members] == label][:COLUMNS] for label in range(dataset.c_dim)][:MOST_ROWS]
    kept = [(index, group) for index, group in enumerate(groups) if len(group)]
    names = [dataset.classes[index] for index, _ in kept] if dataset.labels is not None else ()
    return image_grid([nhwc(dataset.images[group]) for _, group in kept], names)
