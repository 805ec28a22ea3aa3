"""The options of `train`: as a user gives them, and how each is described by the field of its name."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, get_args, get_origin

from .augment import AugmentConfig
from .data import DataConfig
from .network import NetworkConfig
from .settings import Setting, settings
from .start import StartConfig
from .training import TrainingConfig

MAY_CHANGE = ("kimg", "data", "masks", "device", "evaluate_kimg", "stop_after", "timeout")  # when a run goes on
CONFIGS = (DataConfig, StartConfig, TrainingConfig, NetworkConfig, AugmentConfig)


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The options of `train` that make a run what it is, as given: None or False where not given.

    Each but `preset` and `device` has the name of the field of the configuration that it sets, where its meaning and
    range stand. What is a tuple there is one text here: "blit,geom", "5,10".
    """

    data: str
    preset: str = "auto"
    device: str = "auto"
    # DataConfig
    size: str | None = None
    fit: str | None = None
    background: str | None = None
    channels: str | None = None
    pages: str | None = None
    bands: str | None = None
    window: str | None = None
    no_labels: bool = False
    file_column: str | None = None
    label_column: str | None = None
    split: str | None = None
    groups: str | None = None
    attributes: str | None = None
    split_names: str | None = None
    masks: str | None = None
    mask_kinds: str | None = None
    ignore: int | None = None
    unmasked: str | None = None
    mirror: str | None = None
    balance: float | None = None
    balance_by: str | None = None
    holdout: float | None = None
    subset: int | None = None
    # StartConfig
    init_from: str | None = None
    freeze_d: int | None = None
    freeze_g: int | None = None
    freeze_mapping: bool = False
    # TrainingConfig
    transition: str | None = None
    kimg: float | None = None
    batch: int | None = None
    micro_batch: int | None = None
    seed: int | None = None
    learning_rate: float | None = None
    discriminator_rate: float | None = None
    gamma: float | None = None
    ema_kimg: float | None = None
    tick_kimg: float | None = None
    snapshot_kimg: float | None = None
    evaluate_kimg: float | None = None
    stop_after: int | None = None
    timeout: float | None = None
    # NetworkConfig
    mapping_depth: int | None = None
    label_head: str | None = None
    label_depth: int | None = None
    channel_base: int | None = None
    channel_max: int | None = None
    precision: str | None = None
    # AugmentConfig
    augment: str | None = None
    augment_extra: str | None = None
    ada_signal: str | None = None
    ada_target: float | None = None
    ada_kimg: float | None = None
    ada_max: float | None = None
    ada_p: float | None = None


@dataclass(frozen=True)
class Option:
    """An option, described by the field that it sets."""

    config: type
    field: dataclasses.Field[Any]
    setting: Setting

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def kind(self) -> type:
        """The type of its value as given: a tuple is given as one text."""
        kind: Any = self.field.type
        if get_origin(kind) is UnionType:
            kind = get_args(kind)[0]
        return str if get_origin(kind) is tuple else kind

    @property
    def is_required(self) -> bool:
        return self.field.default is dataclasses.MISSING and self.setting.chosen_by is None

    @property
    def default(self) -> str:
        """The default in words."""
        if self.setting.chosen_by is not None:
            return f"chosen by {self.setting.chosen_by}"
        if self.setting.unset is not None:
            return self.setting.unset
        value = self.field.default
        if isinstance(value, tuple):
            return ",".join(value)
        return f"{value:g}" if isinstance(value, float) else str(value)


def options_of(*configs: type) -> Iterator[Option]:
    """The options that set fields of these dataclasses."""
    for config in configs:
        for field, about in settings(config):
            if about.help:
                yield Option(config, field, about)


def train_options(data: str, **given: Any) -> TrainOptions:
    """The options as a user gives them: None stands for not given, and so does "auto" where a value is then chosen."""
    chosen = {option.name for option in options_of(*CONFIGS) if option.setting.chosen_by is not None}
    values = {
        name: value
        for name, value in given.items()
        if value is not None and not (isinstance(value, str) and value == "auto" and name in chosen)
    }
    return TrainOptions(data=data, **values)


def given(config: type, options: TrainOptions) -> dict[str, Any]:
    """The options given for the fields of `config`, with their values as given."""
    values = {option.name: getattr(options, option.name) for option in options_of(config)}
    return {name: value for name, value in values.items() if value is not None}
