"""Writing chosen candidates to the folder that the user asked for."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from ..files import write_text
from ..pictures.files import picture_suffix
from ..sampling import TrainedGenerator
from .candidates import SyntheticSet
from .filters import REASONS
from .masks import ANNOTATIONS, AREA, write_coco
from .partial import PartialSet
from .plan import Recipe
from .selection import Selection
from .write import attribute_values, with_files, write_manifest, write_shards, write_tree

Facts = dict[str, Any]


def finish_set(
    partial: PartialSet,
    generator: TrainedGenerator,
    recipe: Recipe,
    made: SyntheticSet,
    options: Facts,
    card: Callable[[Facts], str],
) -> None:
    """Images, manifest.csv, dataset.json and README.md, which is `card` of what dataset.json holds.

    dataset.json also lists the labels as the data room and others read them; shards carry theirs.
    """
    facts: Facts = options | {"per_class": class_facts(recipe, made.selections)}
    kinds = generator.mask_kinds
    if kinds:
        empty = [all(item.scores[f"{AREA}{kind}"] == 0 for kind in kinds) for item in made.items]
        facts["empty_masks"] = sum(empty) / max(len(empty), 1)
    suffix = recipe.format if recipe.format == "jpg" else picture_suffix(generator.dtype)
    with partial.finished() as folder:
        if recipe.shards:
            files = write_shards(folder, generator.labels, made.items, suffix)
            labels: Facts = {}
        else:
            files = write_tree(folder, made.items, recipe.kinds, suffix, with_masks=recipe.masks_as == "png")
            if kinds and recipe.masks_as == "coco":
                write_coco(folder / ANNOTATIONS, files, [mask for _, _, mask in with_files(made.items)], kinds)
            labels = {"labels": _labels(generator, made, files) if generator.classes else None}
        write_manifest(folder / "manifest.csv", generator.labels, made.items, files)
        write_text(folder / "dataset.json", json.dumps(facts | labels, indent=1) + "\n")
        write_text(folder / "README.md", card(facts))


def _labels(generator: TrainedGenerator, made: SyntheticSet, files: Sequence[str]) -> list[list[Any]]:
    """Each file with its class, or with its attributes."""
    space = generator.labels
    return [
        [file, item.name if space.is_flat else attribute_values(space, item.row)]
        for file, item in zip(files, made.items, strict=True)
    ]


def class_facts(recipe: Recipe, selections: Sequence[Selection]) -> list[dict[str, Any]]:
    """The numbers of each kind: asked for and made, of how many candidates, rejected by reason."""
    return [
        {
            "name": name,
            "asked": selection.count,
            "images": len(selection.chosen),
            "psi": truncation_psi,
            "candidates": selection.candidates,
            "rejected": {reason: selection.rejected[reason] for reason in REASONS.values()},
        }
        for name, selection, truncation_psi in zip(recipe.kinds or ("",), selections, recipe.psi, strict=True)
    ]
