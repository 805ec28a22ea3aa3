"""From the options that a user gave to a whole configuration, with the reason for each choice made."""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar

from .config import AugmentConfig, DataConfig, NetworkConfig, RunConfig, TrainingConfig
from .errors import UserError

T = TypeVar("T")

PRESETS = ("auto", "demo")
MEASUREMENTS = 10  # in a run, unless told
ADA_TARGETS = {"rt": 0.6, "rv": 0.5}  # ADA, arXiv 2006.06676, section 3.1


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The options of `train` that make a run what it is, as given: None or False where not given."""

    data: str
    preset: str = "auto"
    device: str = "auto"
    size: str | None = None
    fit: str | None = None
    no_labels: bool = False
    mirror: str | None = None
    holdout: float | None = None
    subset: int | None = None
    kimg: float | None = None
    batch: int | None = None
    micro_batch: int | None = None
    seed: int | None = None
    precision: str | None = None
    channel_base: int | None = None
    channel_max: int | None = None
    mapping_depth: int | None = None
    learning_rate: float | None = None
    gamma: float | None = None
    ema_kimg: float | None = None
    augment: str | None = None
    augment_extra: str | None = None
    ada_signal: str | None = None
    ada_target: float | None = None
    ada_kimg: float | None = None
    ada_max: float | None = None
    ada_p: float | None = None
    snapshot_kimg: float | None = None
    evaluate_kimg: float | None = None
    stop_after: int | None = None
    tick_kimg: float | None = None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the choice depends on beside the data."""

    cuda: bool
    bf16: bool = False  # its GPU, or else its CPU, computes in bfloat16


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """What the choice depends on in the data set."""

    image_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    count: int  # images
    fingerprint: str


# less than 15 minutes on two CPU cores. Batch 16 had the better FID at every length tried (docs/training.md)
DEMO = TrainOptions(
    data="",
    size="32",
    mirror="hv",
    kimg=40,
    batch=16,
    precision="fp32",  # in bf16 a fifth more images fit in, and are worth less (docs/training.md)
    channel_base=2048,
    channel_max=64,
    gamma=0.02,
    ada_kimg=100,
    ema_kimg=5,
    snapshot_kimg=10,
    evaluate_kimg=20,
)


def with_preset(options: TrainOptions) -> TrainOptions:
    """The options with the preset's own where none were given."""
    if options.preset == "auto":
        return options
    chosen = {
        field.name: getattr(DEMO, field.name)
        for field in dataclasses.fields(options)
        if field.name not in ("data", "preset") and getattr(options, field.name) is None
    }
    return dataclasses.replace(options, **chosen)


def parse_size(text: str | None) -> tuple[int, int] | None:
    """ "64" or "64x96" (height x width) -> (height, width)."""
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise UserError(f"--size {text}: give a side (64), or height x width (64x96)")
    return int(sides[0]), int(sides[-1])


def check_options(options: TrainOptions, machine: Machine) -> None:
    """Raises the UserErrors that need no data, before any image is read. Without a size, the smallest is assumed."""
    height, width = parse_size(with_preset(options).size) or (4, 4)
    resolve(options, DataFacts(image_shape=(1, height, width), classes=(), count=1, fingerprint=""), machine)


def resolve(options: TrainOptions, facts: DataFacts, machine: Machine) -> tuple[RunConfig, list[str]]:
    """The whole configuration, and a line on each choice that was made for the user."""
    options = with_preset(options)
    channels, height, width = facts.image_shape
    reasons: list[str] = []

    def choose(given: T | None, value: T, option: str, why: str) -> T:
        if given is not None:
            return given
        reasons.append(f"{option} {value}: {why}")
        return value

    side = max(height, width)
    where = "on a GPU" if machine.cuda else "on a CPU"
    batch = choose(options.batch, _batch(side, machine), "--batch", f"for {side} pixels {where}")
    if batch < 1:
        raise UserError(f"--batch {batch}: give 1 or more")
    base, most = _widths(side, machine)
    precision, why_precision = _precision(machine)
    network = NetworkConfig(
        channels=channels,
        height=height,
        width=width,
        c_dim=len(facts.classes),
        mapping_depth=2 if options.mapping_depth is None else options.mapping_depth,
        channel_base=choose(options.channel_base, base, "--channel-base", f"for {side} pixels {where}"),
        channel_max=choose(options.channel_max, most, "--channel-max", f"for {side} pixels {where}"),
        precision=choose(options.precision, precision, "--precision", why_precision),
    )
    kimg, why_kimg = _kimg(facts.count, machine)
    kimg = choose(options.kimg, kimg, "--kimg", f"{why_kimg}; the same command with more goes on from there")
    training = _training(
        options,
        kimg=kimg,
        batch=batch,
        r1_gamma=choose(
            options.gamma,
            round(0.0002 * height * width / batch, 6),
            "--gamma",
            "0.0002 * pixels / batch (arXiv 2006.06676, appendix C)",
        ),
        ema_kimg=choose(options.ema_kimg, batch * 10 / 32, "--ema-kimg", "10 per 32 images of batch"),
        evaluate_kimg=choose(
            options.evaluate_kimg, round(kimg / MEASUREMENTS, 3), "--evaluate-kimg", "a tenth of the run; 0 for none"
        ),
    )
    if options.mirror == "quarter" and height != width:
        raise UserError(f"--mirror quarter: quarter turns need square images, not {height}x{width}, give h, v or hv")
    data = DataConfig(
        source=options.data,
        size=options.size,
        fit=options.fit or "crop",
        labels=not options.no_labels,
        mirror=options.mirror,
        holdout=options.holdout or 0.0,
        subset=options.subset,
    )
    config = RunConfig(
        data=data,
        network=network,
        augment=_augment(options),
        training=training,
        classes=facts.classes,
        fingerprint=facts.fingerprint,
    )
    return config, reasons


def _training(
    options: TrainOptions, *, kimg: float, batch: int, r1_gamma: float, ema_kimg: float, evaluate_kimg: float
) -> TrainingConfig:
    given = {
        "micro_batch": options.micro_batch,
        "seed": options.seed,
        "learning_rate": options.learning_rate,
        "snapshot_kimg": options.snapshot_kimg,
        "tick_kimg": options.tick_kimg,
        "stop_after": options.stop_after,
    }
    return TrainingConfig(
        kimg=kimg,
        batch=batch,
        r1_gamma=r1_gamma,
        ema_kimg=ema_kimg,
        evaluate_kimg=evaluate_kimg,
        **_only_given(given),
    )


def _augment(options: TrainOptions) -> AugmentConfig:
    signal = options.ada_signal or "rt"
    given = {
        "kimg": options.ada_kimg,
        "maximum": options.ada_max,
        "p": options.ada_p,
        "groups": None if options.augment is None else _groups(options.augment),
    }
    target = ADA_TARGETS.get(signal, 0.6) if options.ada_target is None else options.ada_target
    return AugmentConfig(signal=signal, target=target, **_only_given(given))


def _groups(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(part.strip() for part in text.split(","))


def _only_given(options: dict[str, Any]) -> dict[str, Any]:
    """Leaves the dataclasses' own defaults where nothing was given."""
    return {name: value for name, value in options.items() if value is not None}


def _batch(side: int, machine: Machine) -> int:
    if machine.cuda:
        return 32 if side <= 256 else 16 if side <= 512 else 8
    return 32 if side <= 32 else 16 if side <= 64 else 8


def _kimg(count: int, machine: Machine) -> tuple[float, str]:
    if not machine.cuda:
        return 200.0, "a first run on a CPU"
    return float(min(25000, max(1000, count))), f"a thousand passes over {count} images, from 1000 to 25000"


def _widths(side: int, machine: Machine) -> tuple[int, int]:
    """Channel base and maximum."""
    if machine.cuda:
        return (16384 if side <= 256 else 32768), 512
    return (4096, 128) if side <= 32 else (16384, 256) if side <= 64 else (16384, 512)


def _precision(machine: Machine) -> tuple[str, str]:
    if machine.bf16:
        return "bf16", f"{'this GPU' if machine.cuda else 'this CPU'} computes in it, with the range of fp32"
    return ("fp16", "this GPU has no bf16") if machine.cuda else ("fp32", "this CPU computes in nothing shorter")
