"""The command line: the only place with click and `sys.exit`."""

import importlib
import sys
from collections.abc import Sequence

import click

from .._version import __version__
from ..errors import PeerError, UserError, nearest

COMMANDS = (
    "data",
    "train",
    "generate",
    "project",
    "directions",
    "export",
    "evaluate",
    "report",
    "augment-check",
    "info",
)


class LazyGroup(click.Group):
    """Finds its commands in modules of this folder, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        return getattr(importlib.import_module(f".{name}", __name__), name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            raise UserError(f"{args[0]}: no such command, {nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup)
@click.version_option(__version__)
def program() -> None:
    """Train StyleGAN2 with adaptive discriminator augmentation on a few thousand images."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and exits: 0 if it went well, 2 with one line on stderr for a mistake of the user's."""
    try:
        program.main(arguments, prog_name="stylegan-ada", standalone_mode=False)
    except PeerError:
        sys.exit(2)
    except UserError as error:
        from .config_options import with_flags

        fail(with_flags(str(error)))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        fail(error.format_message().replace("\n", " "))
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)


def fail(message: str) -> None:
    """Ends the program with one line."""
    click.echo(f"stylegan-ada: error: {message}", err=True)
    sys.exit(2)
