"""The fields of the configuration as options of the command line."""

from collections.abc import Callable
from typing import Any

import click

from ..config import DataConfig
from ..config.options import CONFIGS, Option, options_of
from .common import Choice, Number
from .messages import flag


def config_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of `train` that set a field of the configuration."""
    for option in reversed(list(options_of(*CONFIGS))):
        command = _click_option(option)(command)
    return command


def data_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command some of the options of `train` that say how images and labels are taken."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed([option for option in options_of(DataConfig) if option.name in names]):
            command = _click_option(option)(command)
        return command

    return decorate


def _click_option(option: Option) -> Callable[[Callable[..., None]], Callable[..., None]]:
    about = option.setting
    kind: Any = option.kind
    if about.choices and option.field.type in (str, str | None):
        kind = Choice(["auto", *about.choices] if about.chosen_by else about.choices)
    elif kind in (int, float):
        kind = Number(kind)
    return click.option(
        flag(option.name),
        type=kind,
        is_flag=option.kind is bool or None,  # click takes False for an option whose value may be left out
        required=option.is_required,
        help=about.help if option.is_required else f"{about.help} Default: {option.default}.",
    )
