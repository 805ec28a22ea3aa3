"""The options of `train`, made from the fields of the configuration."""

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

CONFIGS = (DataConfig, StartConfig, TrainingConfig, NetworkConfig, AugmentConfig)


@dataclass(frozen=True)
class Option:
    """An option, and the field that it sets."""

    config: type
    field: dataclasses.Field[Any]
    setting: Setting

    @property
    def name(self) -> str:
        return self.setting.option or self.field.name

    @property
    def kind(self) -> type:
        """Of its value as given: a tuple is given as one text."""
        kind: Any = self.field.type
        if get_origin(kind) is UnionType:
            kind = get_args(kind)[0]
        return str if get_origin(kind) is tuple else kind

    @property
    def is_required(self) -> bool:
        return self.field.default is dataclasses.MISSING and self.setting.chosen_by is None

    @property
    def default(self) -> str:
        """In words."""
        if self.setting.chosen_by is not None:
            return f"chosen by {self.setting.chosen_by}"
        if self.setting.default is not None:
            return self.setting.default
        value = self.field.default
        if isinstance(value, tuple):
            return ",".join(value)
        return f"{value:g}" if isinstance(value, float) else str(value)


def options_of(*configs: type) -> Iterator[Option]:
    """The options that set fields of these dataclasses."""
    for config in configs:
        for field, about in settings(config):
            if about.option is not None:
                yield Option(config, field, about)


def _field(option: Option) -> tuple[str, Any, Any]:
    if option.is_required:
        return option.name, option.kind, dataclasses.field()
    if option.kind is bool:
        return option.name, bool, dataclasses.field(default=False)
    return option.name, option.kind | None, dataclasses.field(default=None)


_OWN = [(name, str, dataclasses.field(default="auto")) for name in ("preset", "device")]
_Options: Any = dataclasses.make_dataclass(
    "_Options", [*_OWN, *map(_field, options_of(*CONFIGS))], frozen=True, kw_only=True
)


class TrainOptions(_Options):
    """The options of `train` that make a run what it is, as given: None or False where not given.

    `preset`, `device`, and one for each setting of the configuration that names an option.
    """


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
    """What was given for the fields of `config`, by their names, as it was given."""
    values = {option.field.name: getattr(options, option.name) for option in options_of(config)}
    return {name: value for name, value in values.items() if value is not None}
