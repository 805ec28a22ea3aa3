"""The command line: the only place with click and `sys.exit`."""

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from .._version import __version__
from ..errors import NO_MISTAKE, PeerError, RunFailed, UserError, first_line, shown
from ..files import cache_root
from .lazy import LazyGroup, python_name

COMMANDS = (
    "data",
    "train",
    "generate",
    "explore",
    "project",
    "directions",
    "export",
    "import",
    "evaluate",
    "report",
    "utility",
    "augment-check",
    "info",
)


@click.group(cls=LazyGroup, files={name: python_name(name) for name in COMMANDS})
@click.version_option(__version__)
def program() -> None:
    """Train StyleGAN2 with adaptive discriminator augmentation on a few thousand images."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and exits: 0 if it went well, 130 if it was stopped, and with one line on stderr 2 for a mistake
    of the user's, 1 for a run that failed."""
    code = run(arguments)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        # not by Python's own end, in which threads that gloo leaves behind abort the process now and then
        # (https://github.com/pytorch/pytorch/pull/179291)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    if code:
        sys.exit(code)


def run(arguments: Sequence[str] | None) -> int:
    """The exit code of a command."""
    with suppress(UserError):  # without a home folder the commands that need the cache say so
        # matplotlib's list of fonts lies with what is ours
        os.environ.setdefault("MPLCONFIGDIR", str(cache_root() / "matplotlib"))
    warnings.showwarning = show_warning
    warnings.filterwarnings("ignore", message="Image size .* could be decompression bomb")  # up to that size none is
    try:
        return program.main(arguments, prog_name="stylegan-ada", standalone_mode=False) or 0
    except PeerError:
        return 1
    except UserError as error:
        return fail(str(error), 1 if isinstance(error, RunFailed) else 2)
    except MemoryError as error:
        return fail(f"out of memory ({first_line(error)}): close other programs, or take smaller images or fewer", 1)
    except OSError as error:
        if error.errno is None or error.errno not in NO_MISTAKE:
            raise
        where = error.filename or "what is printed"  # as in `train > log`
        return fail(f"{where}: {error.strerror}, make room and give the same command again", 1)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return fail(error.format_message().replace("\n", " "))
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """A library's warning in one line: without a line of source, and with the image that was being read."""
    from ..datasets.reading.parallel import at_work

    name = getattr(at_work, "name", None)
    about = "" if name is None else f"{name}: "
    click.echo(f"warning: {shown(about + (str(message).strip().splitlines() or [''])[0])}", err=True)


def fail(message: str, code: int = 2) -> int:
    """Says in one line why the program ends. Returns its exit code."""
    click.echo(f"stylegan-ada: error: {shown(message)}", err=True)
    return code
