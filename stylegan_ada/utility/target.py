"""What the classifiers are to name: classes, or the values of one attribute."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..config.attributes import AskedAttribute, asked_of
from ..datasets import ImageDataset
from ..errors import UserError, nearest
from ..labels.attribute import CATEGORY, YESNO, Attribute, Value
from ..labels.label_space import LabelSpace
from ..labels.texts import label_text


@dataclass(frozen=True)
class Target:
    """classes: the names to choose from. labels: what a generator is asked for, for each. attribute: whose values the
    classes are; None where they are the generator's classes. asked: the attributes to read a set by, () for none."""

    classes: tuple[str, ...]
    labels: tuple[str, ...]
    attribute: str | None = None
    asked: tuple[AskedAttribute, ...] = ()

    def of_dataset(self, dataset: ImageDataset, what: str) -> ImageDataset:
        """The set with the target's classes for labels, -1 where the attribute is unknown. UserError, on `what`, where
        it has no such attribute."""
        if self.attribute is None:
            return dataset
        names = [attribute.name for attribute in dataset.attributes]
        if self.attribute not in names:
            raise UserError(f"{what}: its images have no attribute {self.attribute!r}, which `target` names")
        place = names.index(self.attribute)
        values = dataset.attributes[place].values
        index: dict[Value, int] = {value: number for number, value in enumerate(values)}
        labels = np.array([index.get(row[place], -1) for row in dataset.rows], np.int64)
        return replace(dataset, labels=labels, classes=values, attributes=(), rows=())


def target_of(space: LabelSpace, attribute: str | None) -> Target:
    """The target of a generator with these labels. UserError where it has no such attribute, or one whose values do not
    exclude each other."""
    asked = () if space.is_flat else asked_of(space.attributes)
    if attribute is None:
        return Target(space.classes, space.classes, asked=asked)
    own = _named(space.attributes, attribute) if not space.is_flat else None
    if own is None:
        raise UserError(f"`target` {attribute}: this generator was trained on classes, not on attributes, leave it out")
    if own.kind not in (CATEGORY, YESNO):
        raise UserError(f"`target` {attribute}: its kind is {own.kind}, give one of kind {CATEGORY} or {YESNO}")
    labels = tuple(label_text([own], [value]) for value in own.values)
    return Target(own.values, labels, attribute, asked)


def _named(attributes: Sequence[Attribute], name: str) -> Attribute:
    by_name = {attribute.name: attribute for attribute in attributes}
    if name not in by_name:
        raise UserError(f"`target` {name}: no such attribute, {nearest(name, by_name)}")
    return by_name[name]
