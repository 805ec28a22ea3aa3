"""Everything that defines a run, as frozen dataclasses that check themselves. No torch here."""

from dataclasses import dataclass, field

from .config_data import DataConfig
from .config_start import StartConfig
from .errors import UserError
from .image_size import block_shapes
from .settings import COUNT, NOT_NEGATIVE, POSITIVE, PROBABILITY, Range, check, setting

PRECISIONS = ("fp32", "bf16", "fp16")
ADA_TARGETS = {"rt": 0.6, "rv": 0.5}  # of each signal: ADA, arXiv 2006.06676, section 3.1
AUGMENT_GROUPS = ("blit", "geom", "color", "filter", "noise", "cutout")


def _check(ok: bool, message: str) -> None:
    if not ok:
        raise UserError(message)


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The shape of generator and discriminator. Sizes in pixels, widths in channels."""

    channels: int = field(metadata=setting(within=Range("1 to 4", 1, 4)))  # of the images
    height: int
    width: int
    c_dim: int = 0  # length of the label vector, 0 without labels
    z_dim: int = 512
    w_dim: int = 512
    mapping_depth: int = field(
        default=2, metadata=setting("mapping_depth", "Fully connected layers from z to w.", within=COUNT)
    )
    label_head: str = field(  # inner: as in the best known code; full: arXiv 1802.05637, equation 3
        default="inner",
        metadata=setting(
            "label_head",
            "The discriminator's output: features times label (inner), or that plus an output without label (full).",
            choices=("inner", "full"),
            chosen_by="whether there are labels",
        ),
    )
    label_depth: int | None = field(  # None: mapping_depth, as in runs from before there was this field
        default=None,
        metadata=setting(
            "label_depth",
            "Fully connected layers after the discriminator's embedding of a label.",
            within=NOT_NEGATIVE,
            chosen_by="whether there are labels",
        ),
    )
    transitional: bool = False  # labels are blended in, and the discriminator also judges without them
    channel_base: int = field(
        default=16384,
        metadata=setting(
            "channel_base",
            "A block n doublings above the lowest has this / (4 * 2^n) channels.",
            within=COUNT,
            chosen_by="the size and the device",
        ),
    )
    channel_max: int = field(
        default=512,
        metadata=setting(
            "channel_max", "The most channels of a block.", within=COUNT, chosen_by="the size and the device"
        ),
    )
    precision: str = field(
        default="fp32",
        metadata=setting(
            "precision", "Number format of the top resolutions.", choices=PRECISIONS, chosen_by="the device"
        ),
    )
    half_resolutions: int = 4  # how many top resolutions run in that precision
    conv_clamp: float | None = field(  # bound of activations in every block; None: 256 where fp16, else none
        default=None, metadata=setting(within=POSITIVE)
    )

    def __post_init__(self) -> None:
        check(self)
        top = 4 << (len(self.block_shapes) - 1)
        _check(
            not self.transitional or self.c_dim > 0,
            "`transition`: there are no labels to blend in, leave it out",
        )
        _check(
            self.channel_base >= top,
            f"`channel_base` {self.channel_base}: give at least {top} for this size",
        )

    @property
    def block_shapes(self) -> list[tuple[int, int]]:
        return block_shapes(self.height, self.width)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    def block_channels(self, level: int) -> int:
        """Channels of the block `level` doublings above the lowest, whose nominal side is 4 * 2^level."""
        return min(self.channel_base // (4 << level), self.channel_max)

    def is_half(self, level: int) -> bool:
        """Whether the block runs in the reduced precision: the top ones do, the lowest never."""
        return self.precision != "fp32" and level >= max(1, len(self.block_shapes) - self.half_resolutions)


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
            _check(self.groups.count(group) == 1, f"`augment`: {group!r} is named twice, once is enough")
        check(self)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The optimisation. Lengths are in thousands of real images shown to the discriminator (kimg)."""

    transition: tuple[float, float] | None = field(  # from all labels ignored to all obeyed, arXiv 2201.06578
        default=None,
        metadata=setting(
            "transition",
            "START,END: thousands of images between which labels are blended in; or none.",
            within=NOT_NEGATIVE,
            default="none, labels count from the start",
        ),
    )
    kimg: float = field(
        metadata=setting(
            "kimg",
            "Length of the run in thousands of images. A finished run goes on if this is raised.",
            within=POSITIVE,
            chosen_by="the number of images and the device",
        )
    )
    batch: int = field(
        default=32,
        metadata=setting(
            "batch", "Images per step, over all processes.", within=COUNT, chosen_by="the size and the device"
        ),
    )
    micro_batch: int | None = field(
        default=None,
        metadata=setting(
            "micro_batch",
            "Images that a process computes at once: fewer take less memory, the step stays the same.",
            within=COUNT,
            default="the whole share of a process",
        ),
    )
    seed: int = field(
        default=0,
        metadata=setting(
            "seed", "The seed of everything random.", within=Range("a whole number from 0 to 2^63 - 1", 0, 2**63 - 1)
        ),
    )
    learning_rate: float = field(  # Adam with betas 0 and 0.99
        default=0.0025,
        metadata=setting("learning_rate", "Learning rate.", within=Range("a rate between 0 and 1", 0, 1, ends=False)),
    )
    discriminator_rate: float = field(
        default=1.0,
        metadata=setting("discriminator_rate", "The discriminator's learning rate, as a multiple.", within=POSITIVE),
    )
    r1_gamma: float = field(
        default=0.0064,
        metadata=setting("gamma", "Weight of R1.", within=NOT_NEGATIVE, chosen_by="the size and the batch"),
    )
    r1_interval: int = 16  # steps between R1 phases
    pl_weight: float = 2.0  # 0 switches path length regularisation off
    pl_interval: int = 4  # steps between path length phases
    pl_batch_shrink: int = field(  # they take every second image of a batch (all of an odd one)
        default=2, metadata=setting(within=COUNT)
    )
    pl_decay: float = 0.01  # of the running mean of path lengths
    style_mixing: float = 0.9  # probability of a second w above a random layer
    w_mean_beta: float = 0.998  # decay per step of the running mean of w
    ema_kimg: float = field(
        default=10.0,
        metadata=setting(
            "ema_kimg",
            "Half-life of the generator's moving average, in thousands of images.",
            within=NOT_NEGATIVE,
            chosen_by="the batch",
        ),
    )
    ema_rampup: float = 0.05  # the half-life is at most this share of the images seen so far
    tick_kimg: float = field(
        default=1.0, metadata=setting("tick_kimg", "Thousands of images between progress lines.", within=POSITIVE)
    )
    snapshot_kimg: float = field(
        default=20.0, metadata=setting("snapshot_kimg", "Thousands of images between checkpoints.", within=POSITIVE)
    )
    keep: int = 3  # checkpoints
    evaluate_kimg: float = field(
        default=0.0,
        metadata=setting(
            "evaluate_kimg",
            "Thousands of images between measurements; 0 for none.",
            within=NOT_NEGATIVE,
            chosen_by="the length of the run, a tenth of it",
        ),
    )
    stop_after: int | None = field(
        default=None,
        metadata=setting(
            "stop_after",
            "End the run after this many measurements in a row without an improvement.",
            within=COUNT,
            default="never early",
        ),
    )

    @property
    def pl_every(self) -> int:
        """Path lengths are taken of each image whose index is a multiple of this."""
        return self.pl_batch_shrink if self.batch % self.pl_batch_shrink == 0 else 1

    def __post_init__(self) -> None:
        check(self)
        window = self.transition or (0.0, 0.0)
        _check(
            len(window) == 2 and window[0] <= window[-1],
            f"`transition` {','.join(f'{kimg:g}' for kimg in window)}: give START,END in thousands of images, or none",
        )
        _check(
            self.stop_after is None or self.evaluate_kimg > 0,
            "`stop_after`: needs measurements, give `evaluate_kimg` as well",
        )


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run, as its config.json keeps it."""

    data: DataConfig
    network: NetworkConfig
    augment: AugmentConfig
    training: TrainingConfig
    classes: tuple[str, ...]  # names, in the order of the label vector
    fingerprint: str  # of the data set: pixels, labels and how they were prepared
    window: tuple[float, float] | None = None  # values of black and white, of images with more than 8 bits
    start: StartConfig = field(default_factory=StartConfig)

    def __post_init__(self) -> None:
        _check(
            self.augment.signal != "rv" or self.data.holdout > 0 or self.augment.p is not None,
            "`ada_signal` rv needs images that training never sees: add `holdout` 0.1",
        )
