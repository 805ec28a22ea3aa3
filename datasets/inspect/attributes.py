"""What a look at a set tells of its attributes, and of those that it seems to have."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from ...config.preparation import Preparation
from ...labels.attribute import CATEGORY, NUMBER, YESNO, Row
from ...labels.texts import combination_name
from ..labels.chosen import ChosenImages
from ..labels.labelling import Labelling
from ..labels.proposals import proposed_columns, proposed_levels, proposed_separator
from ..labels.schema import value_counts
from ..labels.splits import splits_of_folders
from ..labels.tables import FILE_WORDS

MOST_PRODUCTS = 200


@dataclass(frozen=True)
class AttributeCounts:
    """values: images of each; {} for a number, of which low, mean and high are given. unknown: images without one."""

    name: str
    kind: str
    values: dict[str, int]
    unknown: int
    low: float | None = None
    mean: float | None = None
    high: float | None = None


def attribute_counts(labelling: Labelling) -> list[AttributeCounts]:
    """What the images of a labelling by attributes have."""
    found = []
    for index, attribute in enumerate(labelling.attributes):
        column = [row[index] for row in labelling.row_of.values()]
        numbers = (attribute.low, attribute.mean, attribute.high) if attribute.kind == NUMBER else (None, None, None)
        counts = value_counts(attribute, column)
        found.append(AttributeCounts(attribute.name, attribute.kind, counts, column.count(None), *numbers))
    return found


def empty_combinations(labelling: Labelling) -> list[str]:
    """The combinations of categories and of yes and no that no image has; [] where there would be more than 200."""
    places = [index for index, one in enumerate(labelling.attributes) if one.kind in (CATEGORY, YESNO)]
    own = [labelling.attributes[place] for place in places]
    if len(own) < 2 or prod(len(one.values) for one in own) > MOST_PRODUCTS:
        return []
    there = {tuple(row[place] for place in places) for row in labelling.row_of.values()}
    rows: Iterator[Row] = product(*(one.values for one in own))
    return [combination_name(own, row) for row in rows if row not in there]


def proposals(chosen: ChosenImages, preparation: Preparation) -> list[str]:
    """A line on the attributes that a set seems to have whose images have one class each; [] if there are none."""
    if preparation.attributes or not preparation.use_labels:
        return []
    return [*_proposals(chosen, preparation)][:1]


def _proposals(chosen: ChosenImages, preparation: Preparation) -> Iterator[str]:
    labelling = chosen.labelling
    if labelling is not None and labelling.rows is not None:
        one_hot = {row["label"] for row in labelling.rows}
        columns = proposed_columns(labelling.rows, {*FILE_WORDS, *one_hot, preparation.file_column or ""})
        if len(columns) > 1:
            names = ", ".join(column.partition(":")[0] for column in columns)
            yield f"columns {names} could be attributes: `attributes` {','.join(columns)}"
    if labelling is not None and (found := proposed_separator(labelling.classes)):
        separator, count = found
        yield (
            f"names of classes such as {labelling.classes[0]!r:.100} have {count} parts, which could be attributes: "
            f"`attributes` {_parts(count)} `split_names` {separator} (choose their names)"
        )
    if labelling is not None and not labelling.from_file:
        levels = proposed_levels(splits_of_folders(chosen.source.names, None).below.values())
        if levels > 1:
            yield f"{levels} levels of folders could be attributes: `attributes` {_parts(levels)} (choose their names)"


def _parts(count: int) -> str:
    return ",".join(f"part{number}" for number in range(1, count + 1))
