"""Everything that defines a run, as frozen dataclasses that check themselves. No torch here."""

import dataclasses
import json
import math
import types
import typing
from dataclasses import dataclass
from typing import Any, TypeVar

from .errors import UserError, nearest

T = TypeVar("T")

PRECISIONS = ("fp32", "bf16", "fp16")
MIRRORS = ("h", "v", "hv", "quarter")
FITS = ("crop", "stretch")
ADA_SIGNALS = ("rt", "rv")
AUGMENT_GROUPS = ("blit", "geom", "color", "filter", "noise", "cutout")


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
            f"--size {height}x{width}: a network cannot be built for it, the nearest size is {nearest_size} "
            f"(sides are a * 2^n and b * 2^n, the shorter factor from 4 to 7, the longer up to 32)"
        )
    return [(a << n, b << n) for n in range(doublings + 1)]


def _nearest_size(height: int, width: int) -> tuple[int, int]:
    """The size with a network whose sides differ least in all from these."""
    sizes = [(a << n, b << n) for n in range(10) for a in range(4, 33) for b in range(4, 33) if min(a, b) <= 7]
    return min(sizes, key=lambda size: abs(size[0] - height) + abs(size[1] - width))


def _check(ok: bool, message: str) -> None:
    if not ok:
        raise UserError(message)


def _check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError(f"{option} {value}: no such choice, {nearest(value, choices)}")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is trained on."""

    source: str  # a folder, a zip, or sample:NAME
    size: str | None = None  # as asked for: SIDE or HEIGHTxWIDTH; None is the images' own
    fit: str = "crop"  # how images are brought to the size: centre "crop", or "stretch"
    labels: bool = True  # False ignores the labels
    mirror: str | None = None  # random flips of real images: h, v, hv, or quarter turns
    holdout: float = 0.0  # share of the images that training never sees
    subset: int | None = None  # how many of the others it sees; None is all

    def __post_init__(self) -> None:
        _check_choice("--fit", self.fit, FITS)
        if self.mirror is not None:
            _check_choice("--mirror", self.mirror, MIRRORS)
        _check(0 <= self.holdout <= 0.5, f"--holdout {self.holdout}: give a fraction from 0 to 0.5")
        _check(self.subset is None or self.subset >= 2, f"--subset {self.subset}: give 2 or more")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The shape of generator and discriminator. Sizes in pixels, widths in channels."""

    channels: int  # of the images, 1 to 4
    height: int
    width: int
    c_dim: int = 0  # length of the label vector, 0 without labels
    z_dim: int = 512
    w_dim: int = 512
    mapping_depth: int = 2  # fully connected layers from z to w
    channel_base: int = 16384  # a block n doublings above the lowest has channel_base / (4 * 2^n) channels ...
    channel_max: int = 512  # ... but at most this many
    precision: str = "fp32"  # of the top resolutions
    half_resolutions: int = 4  # how many top resolutions run in that precision

    def __post_init__(self) -> None:
        _check(1 <= self.channels <= 4, f"{self.channels} image channels: 1 to 4 are possible")
        _check_choice("--precision", self.precision, PRECISIONS)
        _check(self.mapping_depth >= 1, f"--mapping-depth {self.mapping_depth}: give 1 or more")
        _check(self.channel_max >= 1, f"--channel-max {self.channel_max}: give 1 or more")
        top = 4 << (len(self.block_shapes) - 1)
        _check(self.channel_base >= top, f"--channel-base {self.channel_base}: give at least {top} for this size")

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

    groups: tuple[str, ...] = ("blit", "geom", "color")
    extra: tuple[ExtraAugmentation, ...] = ()  # the user's own, applied before the groups
    signal: str = "rt"  # what drives p: the signs of real logits (rt), or a held-out part of the set (rv)
    target: float = 0.6  # of that signal
    kimg: float = 500.0  # thousands of images in which p could go from 0 to 1
    maximum: float = 0.8  # p never exceeds it: augmentations leak into the images as p nears 1
    p: float | None = None  # a fixed p instead of the controller

    @property
    def adapts(self) -> bool:
        """Whether the controller moves p."""
        return self.p is None and bool(self.groups or self.extra)

    def __post_init__(self) -> None:
        for group in self.groups:
            _check_choice("--augment", group, AUGMENT_GROUPS)
            _check(self.groups.count(group) == 1, f"--augment: {group!r} is named twice, once is enough")
        _check_choice("--ada-signal", self.signal, ADA_SIGNALS)
        _check(-1 < self.target < 1, f"--ada-target {self.target}: give a value between -1 and 1")
        _check(0 < self.kimg < math.inf, f"--ada-kimg {self.kimg}: give more than 0")
        _check(0 <= self.maximum <= 1, f"--ada-max {self.maximum}: give a probability from 0 to 1")
        _check(self.p is None or 0 <= self.p <= 1, f"--ada-p {self.p}: give a probability from 0 to 1")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The optimisation. Lengths are in thousands of real images shown to the discriminator (kimg)."""

    kimg: float
    batch: int = 32  # images per step, over all processes
    micro_batch: int | None = None  # images at once per process; None is the process's whole share
    seed: int = 0
    learning_rate: float = 0.0025  # of both networks; Adam with betas 0 and 0.99
    r1_gamma: float = 0.0064
    r1_interval: int = 16  # steps between R1 phases
    pl_weight: float = 2.0  # 0 switches path length regularisation off
    pl_interval: int = 4  # steps between path length phases
    pl_batch_shrink: int = 2  # they take every second image of a batch (all of an odd one)
    pl_decay: float = 0.01  # of the running mean of path lengths
    style_mixing: float = 0.9  # probability of a second w above a random layer
    w_mean_beta: float = 0.998  # decay per step of the running mean of w
    ema_kimg: float = 10.0  # half-life of the generator's moving average
    ema_rampup: float = 0.05  # the half-life is at most this share of the images seen so far
    tick_kimg: float = 1.0  # between progress lines
    snapshot_kimg: float = 20.0  # between checkpoints
    keep: int = 3  # checkpoints
    evaluate_kimg: float = 0.0  # between measurements; 0 for none
    stop_after: int | None = None  # measurements in a row that brought nothing better; None never stops early

    @property
    def pl_every(self) -> int:
        """Path lengths are taken of each image whose index is a multiple of this."""
        return self.pl_batch_shrink if self.batch % self.pl_batch_shrink == 0 else 1

    def __post_init__(self) -> None:
        _check(0 < self.kimg < math.inf, f"--kimg {self.kimg}: give more than 0")
        _check(0 <= self.seed < 2**63, f"--seed {self.seed}: give a whole number from 0 to 2^63 - 1")
        _check(0 < self.learning_rate < 1, f"--learning-rate {self.learning_rate}: give a rate between 0 and 1")
        _check(0 <= self.ema_kimg < math.inf, f"--ema-kimg {self.ema_kimg}: give 0 or more")
        _check(self.batch >= 1, f"--batch {self.batch}: give 1 or more")
        _check(self.micro_batch is None or self.micro_batch >= 1, f"--micro-batch {self.micro_batch}: give 1 or more")
        _check(self.pl_batch_shrink >= 1, f"pl_batch_shrink {self.pl_batch_shrink}: give 1 or more")
        _check(0 <= self.r1_gamma < math.inf, f"--gamma {self.r1_gamma}: give 0 or more")
        _check(0 < self.snapshot_kimg < math.inf, f"--snapshot-kimg {self.snapshot_kimg}: give more than 0")
        _check(0 < self.tick_kimg < math.inf, f"--tick-kimg {self.tick_kimg}: give more than 0")
        _check(0 <= self.evaluate_kimg < math.inf, f"--evaluate-kimg {self.evaluate_kimg}: give 0 or more")
        if self.stop_after is not None:
            _check(self.stop_after >= 1, f"--stop-after {self.stop_after}: give 1 or more")
            _check(self.evaluate_kimg > 0, "--stop-after: needs measurements, give --evaluate-kimg as well")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run, as its config.json keeps it."""

    data: DataConfig
    network: NetworkConfig
    augment: AugmentConfig
    training: TrainingConfig
    classes: tuple[str, ...]  # names, in the order of the label vector
    fingerprint: str  # of the data set: pixels, labels and how they were prepared

    def __post_init__(self) -> None:
        _check(
            self.augment.signal != "rv" or self.data.holdout > 0 or self.augment.p is not None,
            "--ada-signal rv needs images that training never sees: add --holdout 0.1",
        )


def to_json(config: Any) -> str:
    """A dataclass of this module as JSON text."""
    return json.dumps(dataclasses.asdict(config), indent=2)


def from_json(kind: type[T], text: str) -> T:
    """The dataclass `kind` from JSON text. An unknown, missing or ill-typed key is a UserError that names it."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise UserError(f"not valid JSON ({error})") from None
    return _build(kind, values, kind.__name__)


def _build(kind: Any, value: Any, where: str) -> Any:
    """`value`, as JSON gives it, as the annotated type `kind`."""
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        options = [option for option in typing.get_args(kind) if option is not type(None)]
        return None if value is None else _build(options[0], value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_build(typing.get_args(kind)[0], item, where) for item in value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if origin is None and type(value) is kind:
        return value
    raise UserError(f"{where}: {value!r} is not of type {getattr(kind, '__name__', kind)}")


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise UserError(f"{where}: {value!r} is not an object")
    hints = typing.get_type_hints(kind)
    for key in value:
        if key not in hints:
            raise UserError(f"{where}: unknown key {key!r}, {nearest(key, hints)}")
    for field in dataclasses.fields(kind):
        if field.name not in value and field.default is dataclasses.MISSING:
            raise UserError(f"{where}: the key {field.name!r} is missing")
    return kind(**{key: _build(hints[key], item, f"{where}.{key}") for key, item in value.items()})
