"""`stylegan-ada augment-check`: whether augmentations end up in what a generator makes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.options import train_options
from ..config.settings import NOT_NEGATIVE, Range
from ..devices import choose_device, keep_freed_memory, tune_convolutions
from .common import DEVICE, PATH, Number, open_dataset
from .messages import say
from .runs import end_with, exit_if_stopped, listen_for_stop

if TYPE_CHECKING:
    from ..leaks.check import LeakCheck
    from ..peers import Peers


@click.command("augment-check")
@click.option("--out", required=True, type=PATH, help="Folder to write. To resume, repeat the command.")
@click.option("--data", default="sample:digits", show_default=True, help="A folder, a .zip, a .tar, or sample:NAME.")
@click.option("--size", default="8", show_default=True, help="Size in pixels; small images give the answer sooner.")
@click.option("--augment", help="Groups of augmentations, as for train; none checks --augment-extra alone.")
@click.option("--augment-extra", metavar="FILE", help="A file of your own augmentations, as for train.")
@click.option(
    "--p",
    type=Number(float, Range("a probability between 0 and 1", 0, 1, ends=False)),
    default=0.6,
    show_default=True,
    help="The p to check.",
)
@click.option(
    "--kimg",
    type=Number(float, NOT_NEGATIVE),
    default=100.0,
    show_default=True,
    help="Length of each of the three runs, in thousands of images; 0 writes the sheet alone.",
)
@click.option("--seed", type=Number(int), help="The seed of everything random.")
@DEVICE
def augment_check(out: Path, p: float, kimg: float, **given: Any) -> None:
    """Test whether augmentations leak into generated images.

    Writes sheet.png, which shows images augmented at several p. Then trains three small generators, at p = 0, at --p
    and at p = 1, and reports, by a classifier, in how many of their images each augmentation shows.
    """
    keep_freed_memory()
    from .. import distributed
    from ..leaks.check import leak_check_options, prepare_leak_check

    options = train_options(**given, kimg=kimg or 1)  # 0 trains nothing
    device = choose_device(options.device)
    tune_convolutions()
    options = leak_check_options(options, out, device)
    with distributed.group(device) as peers:
        end_with(peers)
        run_check(prepare_leak_check(out, options, p, device, say, open_dataset), peers, sheet_only=kimg == 0)


def run_check(leak_check: "LeakCheck", peers: "Peers", sheet_only: bool) -> None:
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
    exit_if_stopped(leak_check.train(say, listen_for_stop(peers)))
    if classifier is not None:
        verdict = leak_check.judge(classifier)
        say("\n" + "\n".join(verdict.lines()))
        verdict.write(out / LEAKS_FILE)
