"""`stylegan-ada export`"""

from pathlib import Path

import click

from ..errors import UserError
from .common import PATH, RUN, Choice, check_new_file

FORMATS = ("safetensors", "onnx", "pt2")


@click.command()
@RUN
@click.option("--format", required=True, type=Choice(FORMATS), help="docs/export.md says what each is for.")
@click.option("--out", required=True, type=PATH, help="A new file that ends in .FORMAT.")
@click.option("--uint8", is_flag=True, help="Write images as 0 to 255, [N, H, W, C], instead of [-1, 1], [N, C, H, W].")
@click.option(
    "--part", type=Choice(("mapping", "synthesis")), help="Export one of the two networks; otherwise both in one."
)
@click.option(
    "--noise",
    type=Choice(("const", "input")),
    default="const",
    show_default=True,
    help="const: the same for every image, kept in the file; input: given with each image.",
)
@click.option("--licence", help="A line to keep in the file: what others may do with it.")
def export(run: Path, format: str, out: Path, uint8: bool, part: str | None, noise: str, licence: str | None) -> None:
    """Write a generator for other programs.

    RUN is a run folder or a generator file. What was written is checked.
    """
    check_new_file(out)
    if out.suffix.lower() != f".{format}":
        raise UserError(f"--out {out}: give a file that ends in .{format}")
    if format == "safetensors":
        _check_plain(uint8, part, noise)
    from ..api import export_generator
    from ..export import OPSET

    difference = export_generator(run, out, uint8=uint8, part=part or "whole", noise=noise, licence=licence)
    if format == "safetensors":
        click.echo(f"{out}: weights, configuration and classes, read back as written")
        return
    unit = "gray levels" if uint8 else "of w" if part == "mapping" else "of a range of 2"
    opset = f"opset {OPSET}, " if format == "onnx" else ""
    click.echo(f"{out}: {opset}largest difference from the network at batches 1, 2 and 5: {difference:.2g} {unit}")


def _check_plain(uint8: bool, part: str | None, noise: str) -> None:
    given = {"--uint8": uint8, f"--part {part}": part is not None, f"--noise {noise}": noise != "const"}
    for option, present in given.items():
        if present:
            raise UserError(f"{option}: safetensors holds the whole generator, leave it out or take --format onnx")
