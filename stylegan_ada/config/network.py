"""The shape of the networks, and the sizes that they can be built for."""

from dataclasses import dataclass

from ..errors import UserError
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
    mask_channels: int = 0  # of the masks that are made with the images
    c_dim: int = 0  # length of the label vector, 0 without labels
    attributes: bool = False  # whether a label vector is that of attributes, rather than a one for the class
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
    def all_channels(self) -> int:
        """Channels of what the networks make and judge: the image's, then the masks'."""
        return self.channels + self.mask_channels

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    def block_channels(self, level: int) -> int:
        """Channels of the block `level` doublings above the lowest, whose nominal side is 4 * 2^level."""
        return min(self.channel_base // (4 << level), self.channel_max)

    def is_half(self, level: int) -> bool:
        """Whether the block runs in the reduced precision: the top ones do, the lowest never."""
        return self.precision != "fp32" and level >= max(1, len(self.block_shapes) - self.half_resolutions)


def block_shapes(height: int, width: int) -> list[tuple[int, int]]:
    """Shapes (height, width) of the network's blocks, the lowest first, each twice the one before.

    The sides must be `a * 2^n` and `b * 2^n` with the shorter factor from 4 to 7 and the longer up to 32;
    other sides are a UserError that names the nearest ones that can be built.
    """
    shorter = min(height, width)
    doublings = shorter.bit_length() - 3 if shorter >= 4 else 0
    a, b = height >> doublings, width >> doublings
    if (a << doublings, b << doublings) != (height, width) or shorter < 4 or max(a, b) > 32:
        nearest_size = "x".join(map(str, _nearest_size(height, width)))
        raise UserError(
            f"`size` {height}x{width}: a network cannot be built for it, the nearest size is {nearest_size} "
            f"(sides are a * 2^n and b * 2^n, the shorter factor from 4 to 7, the longer up to 32)"
        )
    return [(a << n, b << n) for n in range(doublings + 1)]


def nearest_size_within(height: int, width: int) -> tuple[int, int] | None:
    """The size with a network that fits into this one and is nearest to it; None where none fits."""
    sizes = [size for size in _sizes() if size[0] <= height and size[1] <= width]
    # by squares, so that a square is nearest to a square
    return min(sizes, key=lambda size: (height - size[0]) ** 2 + (width - size[1]) ** 2, default=None)


def _nearest_size(height: int, width: int) -> tuple[int, int]:
    """The size with a network whose sides differ least in all from these."""
    return min(_sizes(), key=lambda size: abs(size[0] - height) + abs(size[1] - width))


def _sizes() -> list[tuple[int, int]]:
    return [(a << n, b << n) for n in range(10) for a in range(4, 33) for b in range(4, 33) if min(a, b) <= 7]
