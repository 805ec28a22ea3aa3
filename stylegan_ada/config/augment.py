"""The augmentations that the discriminator sees through, and the rule that drives their probability p."""

from dataclasses import dataclass

from .settings import POSITIVE, PROBABILITY, Range, check, require, setting

ADA_TARGETS = {"rt": 0.6, "rv": 0.5}  # of each signal: ADA, arXiv 2006.06676, section 3.1
AUGMENT_GROUPS = ("blit", "geom", "color", "filter", "noise", "cutout")


@dataclass(frozen=True, kw_only=True)
class ExtraAugmentation:
    """One of kornia's augmentations."""

    name: str  # of its class in kornia.augmentation
    arguments: str  # by name, as JSON


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Adaptive discriminator augmentation, arXiv 2006.06676."""

    augment: tuple[str, ...] = setting(
        ("blit", "geom", "color"),
        f"Groups of augmentations, separated by commas: {', '.join(AUGMENT_GROUPS)}; or none.",
        choices=AUGMENT_GROUPS,
    )
    augment_extra: tuple[ExtraAugmentation, ...] = setting(  # applied before the groups
        (), "A YAML file that lists augmentations of kornia.", unset="no file"
    )
    ada_signal: str = setting(
        "rt",
        "What drives p: the signs of real logits (rt), or images that training never sees (rv).",
        choices=tuple(ADA_TARGETS),
    )
    ada_target: float = setting(
        ADA_TARGETS["rt"],
        "The value of the signal that p is adapted to reach.",
        within=Range("a value between -1 and 1", -1, 1, ends=False),
        chosen_by="the signal: " + ", ".join(f"{target} for {signal}" for signal, target in ADA_TARGETS.items()),
    )
    ada_kimg: float = setting(500.0, "Thousands of images in which p can rise from 0 to 1.", within=POSITIVE)
    ada_max: float = setting(  # augmentations leak into the images as p nears 1
        0.8, "The largest p.", within=PROBABILITY
    )
    ada_p: float | None = setting(
        None, "A fixed p, in place of an adapted one.", within=PROBABILITY, unset="p is adapted"
    )

    @property
    def adapts(self) -> bool:
        """Whether the controller moves p."""
        return self.ada_p is None and bool(self.augment or self.augment_extra)

    def __post_init__(self) -> None:
        for group in self.augment:
            require(self.augment.count(group) == 1, f"`augment`: {group!r} is named twice, once is enough")
        check(self)
