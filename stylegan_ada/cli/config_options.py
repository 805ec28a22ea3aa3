"""The fields of the configuration as options of the command line."""

import re
from collections.abc import Callable

import click

from ..config import DataConfig
from ..config.options import CONFIGS, Option, options_of
from .common import Choice


def flag(name: str) -> str:
    """An option's name as it is given on the command line."""
    return "--" + name.replace("_", "-")


def with_flags(message: str, command: click.Command | None = None) -> str:
    """A message of the library with flags in place of the parameters that it names in backticks.

    These are the options of `train` and of `command`, which is the running one if not given. Others stay as they are.
    """
    if command is None and (context := click.get_current_context(silent=True)):
        command = context.command
    flags = {option.name: flag(option.name) for option in options_of(*CONFIGS)}
    if command is not None:
        flags |= {param.name or "": param.opts[0] for param in command.params if isinstance(param, click.Option)}
    return re.sub(r"`(\w+)`", lambda match: flags.get(match[1], match[0]), message)


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
    kind: click.ParamType | type = option.kind
    if about.choices and option.field.type in (str, str | None):
        kind = Choice(["auto", *about.choices] if about.chosen_by else about.choices)
    return click.option(
        flag(option.name),
        type=kind,
        is_flag=option.kind is bool or None,  # click takes False for an option whose value may be left out
        required=option.is_required,
        help=about.help if option.is_required else f"{about.help} Default: {option.default}.",
    )
