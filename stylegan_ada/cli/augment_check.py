"""`stylegan-ada augment-check`: whether augmentations end up in what a generator makes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.options import train_options
from ..devices import choose_device, keep_freed_memory, tune_convolutions
from ..errors import UserError
from .common import DEVICES, PATH, Choice
from .runs import exit_if_stopped, listen_for_stop, load, say

if TYPE_CHECKING:
    from ..leaks.check import LeakCheck


@click.command("augment-check")
@click.option("--out", required=True, type=PATH, help="Folder to write. To resume, repeat the command.")
@click.option("--data", default="sample:digits", show_default=True, help="A folder, a .zip, or sample:NAME.")
@click.option("--size", default="8", show_default=True, help="Size in pixels; small images give the answer sooner.")
@click.option("--augment", help="Groups of augmentations, as for train; none checks --augment-extra alone.")
@click.option("--augment-extra", metavar="FILE", help="A file of your own augmentations, as for train.")
@click.option("--p", default=0.6, show_default=True, help="The p to check.")
@click.option(
    "--kimg",
    default=100.0,
    show_default=True,
    help="Length of each of the three runs, in thousands of images; 0 writes the sheet alone.",
)
@click.option("--seed", type=int, help="The seed of everything random.")
@click.option("--device", type=Choice(DEVICES), default="auto")
def augment_check(out: Path, p: float, kimg: float, **given: Any) -> None:
    """Show what augmentations do, and whether they leak into generated images.

    Writes sheet.png, which shows images augmented at several p. Then trains three small generators, at p = 0, at --p
    and at p = 1, and reports, by a classifier, in how many of their images each augmentation shows.
    """
    keep_freed_memory()
    from .. import distributed
    from ..leaks.check import leak_check_options, prepare_leak_check

    if not 0 < p < 1:
        raise UserError(f"--p {p}: give a probability between 0 and 1")
    if not kimg >= 0:
        raise UserError(f"--kimg {kimg}: give 0 or more")
    options = train_options(**given, kimg=kimg or 1)  # 0 trains nothing
    device = choose_device(options.device)
    tune_convolutions()
    options = leak_check_options(options, out, device)
    with distributed.group(device):
        run_check(prepare_leak_check(out, options, p, device, say, load), sheet_only=kimg == 0)


def run_check(leak_check: "LeakCheck", sheet_only: bool) -> None:
    """Writes the sheet, trains, and prints what was found."""
    from .. import distributed
    from ..leaks.check import LEAKS_FILE
    from ..leaks.sheet import SHEET

    first, out = distributed.rank() == 0, leak_check.out
    if first:
        sheet = leak_check.write_sheet()
        say(f"{sheet}: real images augmented at p = {', '.join(f'{row:g}' for row in SHEET)}")
    if sheet_only:
        return
    classifier = leak_check.learn() if first else None
    # only now: until here Ctrl-C ends the program at once
    exit_if_stopped(leak_check.train(say, listen_for_stop()))
    if classifier is not None:
        verdict = leak_check.judge(classifier)
        say("\n" + "\n".join(verdict.lines()))
        verdict.write(out / LEAKS_FILE)
