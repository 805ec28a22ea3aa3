"""The shape of the networks."""

from dataclasses import dataclass

from .image_size import block_shapes
from .settings import COUNT, NOT_NEGATIVE, POSITIVE, REQUIRED, Range, check, require, setting

PRECISIONS = ("fp32", "bf16", "fp16")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The shape of generator and discriminator. Sizes in pixels, widths in channels."""

    channels: int = setting(  # of the images
        REQUIRED, within=Range("1 to 4", 1, 4)
    )
    height: int
    width: int
    c_dim: int = 0  # length of the label vector, 0 without labels
    z_dim: int = 512
    w_dim: int = 512
    mapping_depth: int = setting(2, "Fully connected layers from z to w.", within=COUNT)
    label_head: str = setting(  # inner: as in the best known code; full: arXiv 1802.05637, equation 3
        "inner",
        "The discriminator's output: features times label (inner), or that plus an output without label (full).",
        choices=("inner", "full"),
        chosen_by="whether there are labels",
    )
    label_depth: int | None = setting(  # None: mapping_depth, as in runs from before there was this field
        None,
        "Fully connected layers after the discriminator's embedding of a label.",
        within=NOT_NEGATIVE,
        chosen_by="whether there are labels",
    )
    transitional: bool = False  # labels are blended in, and the discriminator also judges without them
    channel_base: int = setting(
        16384,
        "A block n doublings above the lowest has this / (4 * 2^n) channels.",
        within=COUNT,
        chosen_by="the size and the device",
    )
    channel_max: int = setting(512, "The most channels of a block.", within=COUNT, chosen_by="the size and the device")
    precision: str = setting(
        "fp32", "Number format of the top resolutions.", choices=PRECISIONS, chosen_by="the device"
    )
    half_resolutions: int = 4  # how many top resolutions run in that precision
    conv_clamp: float | None = setting(  # bound of activations in every block; None: 256 where fp16, else none
        None, within=POSITIVE
    )

    def __post_init__(self) -> None:
        check(self)
        top = 4 << (len(self.block_shapes) - 1)
        require(
            not self.transitional or self.c_dim > 0,
            "`transition`: there are no labels to blend in, leave it out",
        )
        require(
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
