"""What a set is to hold: the kinds of its images, class names or other labels, and how many of each."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import distributed
from ..config.attributes import asked_of
from ..config.preparation import Preparation
from ..datasets import ImageDataset
from ..errors import UserError, check_least
from ..labels.label_space import LabelSpace
from ..labels.sweep import labels_by
from ..sampling import TrainedGenerator
from ..training.run_folder import RunFolder
from .plan import counts_in_shares, counts_to_fill

Load = Callable[..., ImageDataset]
WITHOUT = "this generator was trained without labels, use `count`"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The arguments of `make_dataset` that say how many images of what. UserError for those that do not go together."""

    per_class: int | None
    count: int | None
    balance_with: str | None
    labels: tuple[str, ...]
    by: str | None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.per_class, self.count, self.balance_with)) != 1:
            raise UserError("give one of `per_class`, `count` and `balance_with`")
        for name, value in (("per_class", self.per_class), ("count", self.count)):
            if value is not None:
                check_least(name, value, 1)
        if self.labels and self.by is not None:
            raise UserError("`label` and `by` exclude each other: give one of them")
        if self.by is not None and self.per_class is None:
            raise UserError(f"`by` {self.by}: say how many images of each value by `per_class`")
        if self.labels and self.balance_with is not None:
            raise UserError("`label`, `balance_with`: the set to fill says which classes, leave `label` out")
        if len(self.labels) > 1 and self.count is not None:
            raise UserError("`count` goes with one `label`, of several say how many of each by `per_class`")

    def kinds(self, space: LabelSpace) -> tuple[str, ...]:
        """The labels to make images of, () for a generator without labels."""
        if not space.classes and (self.count is None or self.labels):
            raise UserError(f"`per_class`, `balance_with`, `label`: {WITHOUT}")
        labels = self.labels if self.by is None else tuple(labels_by(space, self.by))
        named = [space.named(label) for label in labels]  # a UserError for what is no label
        if space.is_flat:
            labels = tuple(dict.fromkeys(str(value) for values in named for value in values.values()))
        return labels or space.classes

    def counts(self, class_counts: Sequence[int], kinds: Sequence[str]) -> tuple[int, ...]:
        """The images of each kind, unless a set is to be filled. class_counts: of the training set's classes."""
        if self.count is None:
            assert self.per_class is not None
            return (self.per_class,) * len(kinds)
        return (self.count,) if self.labels else counts_in_shares(class_counts, self.count)

    def remarks(self, space: LabelSpace) -> list[str]:
        """A line on each number that is clipped."""
        return [line for label in self.labels for line in space.remarks(label)]


def missing_counts(
    generator: TrainedGenerator,
    run: Path,
    source: str,
    file_column: str | None,
    label_column: str | None,
    load: Load,
) -> tuple[int, ...]:
    """The number of images that each class of the source lacks to be as large as its largest. Of attributes those
    combinations are filled that the source has; it is read as the images of the run."""
    _, height, width = generator.image_shape
    space, folder = generator.labels, RunFolder(run if run.is_dir() else run.parent)
    attributes = () if space.is_flat else space.attributes
    preparation = Preparation(
        size=(height, width),
        beyond_8_bits=False,
        file_column=file_column,
        label_column=label_column,
        attributes=asked_of(attributes),
        split_names=folder.read_config().data.split_names if attributes and folder.is_run() else None,
    )
    real = distributed.first_rank_first(lambda: load(source, preparation))
    if real.labels is None:
        raise UserError(f"`balance_with` {source}: it has no class folders or labels, use `count` or `per_class`")
    if not attributes:
        of_class = Counter(real.labels.tolist())
        return counts_to_fill({name: of_class[label] for label, name in enumerate(real.classes)}, generator.classes)
    present = Counter(space.class_of(row) for row in real.rows)
    filled = [name for name in generator.classes if name in present]
    missing = dict(zip(filled, counts_to_fill(present, filled), strict=True))
    return tuple(missing.get(name, 0) for name in generator.classes)
