"""`stylegan-ada directions`"""

from pathlib import Path

import click

from ..devices import choose_device
from ..errors import UserError
from .common import DEVICE, PATH, RUN, Number, check_new_file
from .messages import warn

AMOUNTS = (-2.0, -1.0, 0.0, 1.0, 2.0)


@click.command()
@RUN
@click.option("--out", required=True, type=PATH, help="A new file, .npz.")
@click.option("--count", type=Number(int), default=10, show_default=True, help="Number of principal directions.")
@click.option("--from", "start", metavar="LABEL", help="Class where the directions start; otherwise the commonest.")
@click.option("--to", "end", metavar="LABEL", help="Class where they end; otherwise each of the others.")
@DEVICE
def directions(run: Path, out: Path, count: int, start: str | None, end: str | None, device: str) -> None:
    """Find directions of w: principal ones, and between classes.

    With attributes, those of each number and between each attribute's values; or that from one label to another, for
    example --from type=mono --to type=poly. Also draws them, as a .png beside the file. Columns of the picture are -2,
    -1, 0, 1 and 2 standard deviations.
    """
    from ..files import atomic_path
    from ..pictures.grids import image_grid
    from ..projection.directions import direction_rows, find_directions, save_directions
    from ..sampling import load_generator

    if out.suffix != ".npz":
        raise UserError(f"--out {out}: give a file that ends in .npz")
    picture = out.with_suffix(".png")
    for path in (out, picture):
        check_new_file(path)
    generator = load_generator(run, choose_device(device))
    found = find_directions(generator, count, start, end)
    for option, label in (("start", start), ("end", end)):
        if label is not None:
            warn(generator.labels.remarks(label, option))
    with atomic_path(picture) as temporary:
        image_grid(direction_rows(generator, found, AMOUNTS), found.names).save(temporary)
        save_directions(out, found)
    width = max(map(len, found.names))
    click.echo(f"{'name':{width}}  spread  share of variance")
    for name, spread, share in zip(found.names, found.spreads, found.shares, strict=True):
        click.echo(f"{name:{width}}  {spread:6.3f}  {share:6.1%}")
    click.echo(f"{out} and {picture}")
