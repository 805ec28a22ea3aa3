"""Which augmentations the discriminator sees through, and what drives their probability p."""

from dataclasses import dataclass, field

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

    groups: tuple[str, ...] = field(
        default=("blit", "geom", "color"),
        metadata=setting(
            "augment",
            f"Groups of augmentations, separated by commas: {', '.join(AUGMENT_GROUPS)}; or none.",
            choices=AUGMENT_GROUPS,
        ),
    )
    extra: tuple[ExtraAugmentation, ...] = field(  # applied before the groups
        default=(),
        metadata=setting("augment_extra", "A YAML file that lists augmentations of kornia.", default="no file"),
    )
    signal: str = field(
        default="rt",
        metadata=setting(
            "ada_signal",
            "What drives p: the signs of real logits (rt), or images that training never sees (rv).",
            choices=tuple(ADA_TARGETS),
        ),
    )
    target: float = field(
        default=ADA_TARGETS["rt"],
        metadata=setting(
            "ada_target",
            "The value of the signal that p is adapted to reach.",
            within=Range("a value between -1 and 1", -1, 1, ends=False),
            chosen_by="the signal: " + ", ".join(f"{target} for {signal}" for signal, target in ADA_TARGETS.items()),
        ),
    )
    kimg: float = field(
        default=500.0,
        metadata=setting("ada_kimg", "Thousands of images in which p can rise from 0 to 1.", within=POSITIVE),
    )
    maximum: float = field(  # augmentations leak into the images as p nears 1
        default=0.8, metadata=setting("ada_max", "The largest p.", within=PROBABILITY)
    )
    p: float | None = field(
        default=None,
        metadata=setting("ada_p", "A fixed p, in place of an adapted one.", within=PROBABILITY, default="p is adapted"),
    )

    @property
    def adapts(self) -> bool:
        """Whether the controller moves p."""
        return self.p is None and bool(self.groups or self.extra)

    def __post_init__(self) -> None:
        for group in self.groups:
            require(self.groups.count(group) == 1, f"`augment`: {group!r} is named twice, once is enough")
        check(self)
