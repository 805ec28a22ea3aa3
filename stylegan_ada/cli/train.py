"""`stylegan-ada train`"""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click

from ..config import AugmentConfig, DataConfig, NetworkConfig, StartConfig, TrainingConfig
from ..config.json import to_json
from ..config.options import options_of, train_options
from ..config.presets import TRAINING_PRESETS
from ..devices import choose_device, keep_freed_memory, tune_convolutions
from .common import DEVICE, PATH, Choice, open_dataset
from .config_options import config_options
from .messages import EVERYDAY, SectionedCommand, flag, say
from .runs import end_with, exit_if_stopped, listen_for_stop

DAILY = (
    "--data",
    "--out",
    "--preset",
    "--size",
    "--kimg",
    "--batch",
    "--holdout",
    "--mirror",
    "--init-from",
    "--device",
    "--explore",
    "--dry-run",
    "--help",
)
TITLES = {
    "Images and labels": DataConfig,
    "Training": TrainingConfig,
    "Networks": NetworkConfig,
    "Augmentation": AugmentConfig,
    "Starting from trained networks": StartConfig,
}
SECTIONS = {
    EVERYDAY: DAILY,
    **{
        title: tuple(name for option in options_of(config) if (name := flag(option.name)) not in DAILY)
        for title, config in TITLES.items()
    },
}


@click.command(cls=SectionedCommand, sections=SECTIONS)
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
@DEVICE
@click.option("--explore", is_flag=True, help="Show the run in the browser meanwhile. Default: no page.")
@click.option("--dry-run", is_flag=True, help="Print the configuration and stop.")
def train(out: Path, dry_run: bool, explore: bool, **given: Any) -> None:
    """Train a generator on a folder of images."""
    keep_freed_memory()
    from .. import distributed
    from ..training import RunFolder, start

    options, folder = train_options(**given), RunFolder(out)
    device = choose_device(options.device)
    tune_convolutions()
    options = start.check(options, folder, device)
    with distributed.group(device) as peers:
        end_with(peers)
        # of a dry run, nothing but the configuration is on stdout
        config, dataset, trained = start.configure(
            options, folder, device, lambda line: say(line, err=dry_run), open_dataset
        )
        if dry_run:
            for line in [] if trained is None else start.preview(config, trained):
                say(line, err=True)
            say(to_json(config))
        else:
            with _page(out) if explore and distributed.rank() == 0 else nullcontext():
                # only now: until here Ctrl-C ends the program at once
                stop = listen_for_stop(peers)
                exit_if_stopped(start.run(config, options, dataset, trained, folder, device, say, stop))


def _page(out: Path) -> AbstractContextManager[None]:
    from ..explore.beside import page_beside  # and what it imports, only where it is asked for

    return page_beside(out)
