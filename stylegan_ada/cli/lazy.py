"""Groups of commands, of which only those asked for are imported."""

import importlib
import keyword
from typing import Any

import click

from ..errors import UserError, nearest


def python_name(command: str) -> str:
    """augment-check -> augment_check, import -> import_"""
    return command.replace("-", "_") + "_" * keyword.iskeyword(command)


class LazyGroup(click.Group):
    """Finds its commands in modules of this folder, imported when they are asked for.

    files: by a command's name, in the order of `--help`, the module that has it under its `python_name`.
    """

    def __init__(self, *arguments: Any, files: dict[str, str], **options: Any):
        super().__init__(*arguments, **options)
        self.files = files

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.files)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.files:
            return None
        return getattr(importlib.import_module(f".{self.files[cmd_name]}", __package__), python_name(cmd_name))

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command. A UserError of the library's names parameters, which become this command's flags here."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            from .messages import with_flags

            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            error.args = (with_flags(str(error), command),)
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.files:
            raise UserError(f"{args[0]}: no such command, {nearest(args[0], self.files)}")
        return super().resolve_command(ctx, args)
