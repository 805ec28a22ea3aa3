"""The command line: the only place with click and `sys.exit`."""

import sys
from collections.abc import Sequence

import click

from .._version import __version__
from ..errors import PeerError, RunFailed, UserError
from .lazy import LazyGroup

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


@click.group(cls=LazyGroup, files={name: name.replace("-", "_") for name in COMMANDS})
@click.version_option(__version__)
def program() -> None:
    """Train StyleGAN2 with adaptive discriminator augmentation on a few thousand images."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and exits: 0 if it went well, 130 if it was stopped, and with one line on stderr 2 for a mistake
    of the user's, 1 for a run that failed."""
    try:
        program.main(arguments, prog_name="stylegan-ada", standalone_mode=False)
    except PeerError:
        sys.exit(2)
    except UserError as error:
        fail(str(error), 1 if isinstance(error, RunFailed) else 2)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        fail(error.format_message().replace("\n", " "))
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)


def fail(message: str, code: int = 2) -> None:
    """Ends the program with one line."""
    click.echo(f"stylegan-ada: error: {message}", err=True)
    sys.exit(code)
