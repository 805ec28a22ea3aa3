"""The library's lines as commands show them: with flags where they name parameters."""

import re

import click

from ..config.options import CONFIGS, options_of


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


def say(line: str, err: bool = False) -> None:
    """Prints a line of the library's, from the first process only."""
    from .. import distributed

    if distributed.rank() == 0:
        click.echo(with_flags(line), err=err)


def say_here(line: str) -> None:
    """Prints a line of the library's from whatever process it comes, a warning on stderr."""
    click.echo(with_flags(line), err=line.startswith("warning: "))
