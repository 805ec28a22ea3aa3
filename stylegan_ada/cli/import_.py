"""`stylegan-ada import`"""

from pathlib import Path

import click

from .common import PATH, check_new_file
from .messages import say


@click.command("import")
@click.argument("file", type=PATH)
@click.option("--out", required=True, type=PATH, help="A new file that ends in .safetensors.")
@click.option("--classes", help="The classes' names in the order of the label vector, separated by commas.")
@click.option("--licence", help="What the owner of the weights allows; it is kept in all that is made with them.")
def import_(file: Path, out: Path, classes: str | None, licence: str | None) -> None:
    """Read a network-snapshot.pkl of StyleGAN2-ADA.

    Nothing of the file is run.
    """
    check_new_file(out)
    from ..importers import import_snapshot

    names = None if classes is None else [name.strip() for name in classes.split(",")]
    import_snapshot(file, out, names, licence, say)
