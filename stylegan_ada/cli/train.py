"""`stylegan-ada train`"""

from pathlib import Path
from typing import Any

import click

from ..config.json import to_json
from ..config.options import train_options
from ..config.presets import TRAINING_PRESETS
from ..devices import choose_device, keep_freed_memory, tune_convolutions
from .common import DEVICES, PATH, Choice
from .config_options import config_options
from .runs import exit_if_stopped, listen_for_stop, load, say


@click.command()
@click.option(
    "--out",
    required=True,
    type=PATH,
    help="The run's folder. To resume a run, repeat its command.",
)
@click.option(
    "--preset",
    type=Choice(TRAINING_PRESETS),
    default="auto",
    help="demo: less than 15 minutes on two CPU cores. Default: auto, chosen to fit the images and the device.",
)
@config_options
@click.option(
    "--device", type=Choice(DEVICES), default="auto", help="What to compute on. Default: auto, a GPU if there is one."
)
@click.option("--dry-run", is_flag=True, help="Print the configuration and stop.")
def train(out: Path, dry_run: bool, **given: Any) -> None:
    """Train a generator on a folder of images."""
    keep_freed_memory()
    from .. import distributed
    from ..training import RunFolder, start

    options, folder = train_options(**given), RunFolder(out)
    device = choose_device(options.device)
    tune_convolutions()
    options = start.check(options, folder, device)
    with distributed.group(device):
        # of a dry run, nothing but the configuration is on stdout
        config, dataset, trained = start.configure(options, folder, device, lambda line: say(line, err=dry_run), load)
        if dry_run:
            for line in [] if trained is None else start.preview(config, trained):
                say(line, err=True)
            say(to_json(config))
        else:
            # only now: until here Ctrl-C ends the program at once
            exit_if_stopped(start.run(config, options, dataset, trained, folder, device, say, listen_for_stop()))
