"""What the masks of a set show: how many images have each kind, how much of them it covers, what is odd."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..masks.notes import marks_of_mask, mask_notes
from ..masks.reading import Masks
from ..reading.parallel import map_readable
from ..reading.unreadable import Unreadable


@dataclass(frozen=True)
class KindCounts:
    """images: that have the kind. area: the share of all pixels that it covers; of_marked: of those images' alone."""

    name: str
    images: int
    area: float
    of_marked: float


@dataclass(frozen=True)
class MaskCounts:
    """empty: images whose mask marks nothing. damaged: why a mask cannot be read, by its image. notes, warnings: a line
    each."""

    kinds: list[KindCounts]
    empty: int
    damaged: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def mask_counts(masks: Masks, sizes: Mapping[str, tuple[int, int]]) -> MaskCounts:
    """sizes: height and width of each image, by name. UserError for a mask of another size than its image."""

    def look_at(name: str) -> tuple[list[float], list[str]]:
        shares, marks = masks.shares(name, sizes[name])
        return shares.mean(axis=(1, 2)).tolist(), [*marks, *marks_of_mask(shares, bool(shares.any()))]

    looked_at = dict(map_readable(look_at, list(sizes)))
    found = {name: one for name, one in looked_at.items() if not isinstance(one, Unreadable)}
    areas = [own for own, _ in found.values()]
    return MaskCounts(
        kinds=[_counts(name, [own[index] for own in areas]) for index, name in enumerate(masks.kinds)],
        empty=sum(not any(own) for own in areas),
        damaged={name: str(one) for name, one in looked_at.items() if isinstance(one, Unreadable)},
        notes=[line for line in masks.notes if not line.startswith("warning: ")],
        warnings=[
            *(line.removeprefix("warning: ") for line in masks.notes if line.startswith("warning: ")),
            *mask_notes({name: marks for name, (_, marks) in found.items()}),
        ],
    )


def _counts(name: str, areas: Sequence[float]) -> KindCounts:
    marked = [area for area in areas if area]
    return KindCounts(
        name=name,
        images=len(marked),
        area=sum(areas) / max(len(areas), 1),
        of_marked=sum(marked) / max(len(marked), 1),
    )
