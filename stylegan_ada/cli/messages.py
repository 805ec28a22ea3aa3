"""The library's lines as commands show them, with flags where they name parameters; and long helps in sections."""

import re
from typing import Any

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


def warn(remarks: list[str]) -> None:
    """Prints lines of the library's as warnings."""
    for line in remarks:
        say_here(f"warning: {line}")


EVERYDAY, MORE = "Everyday options", "More options"


class SectionedCommand(click.Command):
    """sections: flags by title, in the order of `--help`; the others follow under MORE."""

    def __init__(self, *arguments: Any, sections: dict[str, tuple[str, ...]], **options: Any):
        super().__init__(*arguments, **options)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {option.opts[0]: record for option in options if (record := option.get_help_record(ctx))}
        titled = {flag for flags in self.sections.values() for flag in flags}
        rest = tuple(flag for flag in records if flag not in titled)
        for title, flags in {**self.sections, MORE: rest}.items():
            if flags:
                with formatter.section(title):
                    formatter.write_dl([records[flag] for flag in flags])
