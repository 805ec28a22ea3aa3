"""Resolves the options that a user gave to a whole configuration, with the reason for each choice made."""

from dataclasses import dataclass, replace
from typing import Any

from ..errors import UserError, nearest
from ..labels.attribute import NUMBER, Attribute, label_width
from .augment import ADA_TARGETS, AugmentConfig, ExtraAugmentation
from .data import DataConfig, wanted_size
from .network import NetworkConfig
from .options import TrainOptions, given
from .preparation import ALL
from .run import RunConfig
from .settings import settings
from .start import StartConfig
from .training import TrainingConfig

MEASUREMENTS = 10  # in a run, unless told


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The facts of the machine that the choices depend on."""

    cuda: bool
    bf16: bool = False  # its GPU computes in bfloat16


@dataclass(frozen=True, kw_only=True)
class TrainedFacts:
    """The facts of the networks that a run starts from."""

    network: NetworkConfig
    digest: str  # sha256 of their file
    origin: str | None = None  # of weights that were imported or have a licence, in words
    licence: str | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts of the files that the options name."""

    image_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    count: int  # images
    fingerprint: str
    window: tuple[float, float] | None = None  # values of black and white, of images with more than 8 bits
    mask_kinds: tuple[str, ...] = ()
    augment_extra: tuple[ExtraAugmentation, ...] = ()
    trained: TrainedFacts | None = None


def check_options(options: TrainOptions, machine: Machine) -> None:
    """Raises the UserErrors that need no file, before any image is read. Without a size, the smallest is assumed.

    options: with the preset's own, as for all functions here.
    """
    size = wanted_size(options.size)
    height, width = size if isinstance(size, tuple) else (4, 4)
    classes = () if options.no_labels else ("a", "b")
    data_of(options)  # it checks itself
    options = replace(options, balance_by=None)  # an attribute, which the images decide
    resolve(options, Facts(image_shape=(1, height, width), classes=classes, count=1, fingerprint=""), machine)


def resolve(options: TrainOptions, facts: Facts, machine: Machine) -> tuple[RunConfig, list[str]]:
    """The whole configuration, and a line on each choice that was made for the user."""
    channels, height, width = facts.image_shape
    if options.mirror == "quarter" and height != width:
        raise UserError(f"`mirror` quarter: quarter turns need square images, not {height}x{width}, give h, v or hv")
    if options.balance_by is not None:
        _check_balance_by(options.balance_by, facts)
    reasons: list[str] = []

    def choose(values: dict[str, Any], config: type, **choices: tuple[Any, str]) -> None:
        """Adds to what was given for `config` what is chosen, and why, for fields that nothing was given for."""
        for field, _ in settings(config):
            if field.name in choices and field.name not in values:
                value, why = choices[field.name]
                values[field.name] = value
                reasons.append(f"`{field.name}` {value}: {why}")

    side = max(height, width)
    where = f"for {side} pixels on a {'GPU' if machine.cuda else 'CPU'}"
    training = given(TrainingConfig, options)
    choose(training, TrainingConfig, batch=(_batch(side, machine), where))
    base, most = chosen_widths(side, machine.cuda)
    network = given(NetworkConfig, options)
    if facts.trained is not None:
        trained = facts.trained.network
        choose(network, NetworkConfig, **_as_trained(trained, bool(facts.classes)))
        network |= {"z_dim": trained.z_dim, "w_dim": trained.w_dim, "conv_clamp": trained.conv_clamp}
    choose(network, NetworkConfig, channel_base=(base, where), channel_max=(most, where), precision=_precision(machine))
    kimg, why_kimg = _kimg(facts.count, machine)
    choose(training, TrainingConfig, kimg=(kimg, f"{why_kimg}; the same command with more goes on from there"))
    batch = training["batch"]
    choose(
        training,
        TrainingConfig,
        gamma=(
            round(0.0002 * height * width / max(batch, 1), 6),  # a batch below 1 is refused below
            "0.0002 * pixels / batch (arXiv 2006.06676, appendix C)",
        ),
        ema_kimg=(batch * 10 / 32, "10 per 32 images of batch"),
        evaluate_kimg=(round(training["kimg"] / MEASUREMENTS, 3), "a tenth of the run; 0 for none"),
    )
    if facts.classes:
        why = "labels are obeyed sooner (docs/training.md)"
        choose(network, NetworkConfig, label_head=("full", why), label_depth=(0, why))
    training["transition"] = parse_transition(training.get("transition", "none"))
    network["transitional"] = training["transition"] is not None
    config = RunConfig(
        data=data_of(options),
        start=_start(options, facts.trained),
        network=NetworkConfig(
            channels=channels,
            height=height,
            width=width,
            mask_channels=len(facts.mask_kinds),
            c_dim=label_width(facts.attributes) if facts.attributes else len(facts.classes),
            attributes=bool(facts.attributes),
            **network,
        ),
        augment=_augment(options, facts.augment_extra),
        training=TrainingConfig(**training),
        classes=facts.classes,
        attributes=facts.attributes,
        fingerprint=facts.fingerprint,
        window=facts.window,
        mask_kinds=facts.mask_kinds,
    )
    return config, reasons


def _check_balance_by(name: str, facts: Facts) -> None:
    kinds = {attribute.name: attribute.kind for attribute in facts.attributes}
    if name not in kinds:
        raise UserError(f"`balance_by` {name}: no such attribute, {nearest(name, kinds)}")
    if kinds[name] == NUMBER:
        raise UserError(f"`balance_by` {name}: it is a number, whose values are not balanced, give another attribute")


def data_of(options: TrainOptions) -> DataConfig:
    """The data to be trained on."""
    values = {"split": ALL} | given(DataConfig, options)
    return DataConfig(**values, copies_together=values.get("holdout", 0) > 0)


def _as_trained(trained: NetworkConfig, labelled: bool) -> dict[str, tuple[Any, str]]:
    """The choices that let a network take over as much as can be."""
    names = ["channel_base", "channel_max", "mapping_depth"]
    if labelled and trained.c_dim:
        names += ["label_head", "label_depth"]
    values = {name: getattr(trained, name) for name in names}
    if values.get("label_depth", 0) is None:
        values["label_depth"] = trained.mapping_depth
    return {name: (value, "as in the networks that it starts from") for name, value in values.items()}


def _start(options: TrainOptions, trained: TrainedFacts | None) -> StartConfig:
    values = given(StartConfig, options)
    if trained is not None:
        values |= {"init_from": trained.digest, "origin": trained.origin, "licence": trained.licence}
    return StartConfig(**values)


def _augment(options: TrainOptions, extra: tuple[ExtraAugmentation, ...]) -> AugmentConfig:
    """extra: what lies in the file that `augment_extra` names."""
    values = given(AugmentConfig, options) | {"augment_extra": extra}
    if options.augment is not None:
        values["augment"] = () if options.augment == "none" else tuple(map(str.strip, options.augment.split(",")))
    target = ADA_TARGETS.get(values.get("ada_signal", "rt"), 0.0)  # an unknown signal is refused by AugmentConfig
    return AugmentConfig(**{"ada_target": target, **values})


def parse_transition(text: str) -> tuple[float, float] | None:
    """ "10,20" (thousands of images) -> (10, 20); "none" -> None."""
    if text == "none":
        return None
    try:
        start, end = map(float, text.split(","))
    except ValueError:
        raise UserError(f"`transition` {text}: give START,END in thousands of images, or none") from None
    return start, end


def _batch(side: int, machine: Machine) -> int:
    if machine.cuda:
        return 32 if side <= 256 else 16 if side <= 512 else 8
    return 32 if side <= 32 else 16 if side <= 64 else 8


def _kimg(count: int, machine: Machine) -> tuple[float, str]:
    if not machine.cuda:
        return 200.0, "a first run on a CPU"
    return float(min(25000, max(1000, count))), f"a thousand passes over {count} images, from 1000 to 25000"


def chosen_widths(side: int, cuda: bool) -> tuple[int, int]:
    """Channel base and maximum for images of that longer side, on a GPU or a CPU."""
    if cuda:
        return (16384 if side <= 256 else 32768), 512
    return (4096, 128) if side <= 32 else (16384, 256) if side <= 64 else (16384, 512)


def _precision(machine: Machine) -> tuple[str, str]:
    if not machine.cuda:
        return "fp32", "on a CPU bf16 was seen to train less well at such widths (docs/training.md)"
    if machine.bf16:
        return "bf16", "this GPU computes in it, with the range of fp32"
    return "fp16", "this GPU has no bf16"
