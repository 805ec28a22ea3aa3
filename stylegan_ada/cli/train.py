"""`stylegan-ada train`"""

import dataclasses
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config import RunConfig, block_shapes, to_json
from ..errors import RunFailed, UserError
from ..options import TrainOptions
from ..presets import PRESETS, with_preset
from ..resolve import DataFacts, Machine, check_options, parse_size, resolve
from .augment_extra import read_extra
from .common import DEVICES, Choice, choose_device, keep_freed_memory, open_dataset, tune_convolutions
from .config_options import config_options, flag, with_flags

if TYPE_CHECKING:
    import torch

    from ..datasets import ImageDataset
    from ..training import RunFolder

MAY_CHANGE = ("kimg", "data", "device", "evaluate_kimg", "stop_after")  # when a run goes on


@click.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The run's folder; the same command resumes."
)
@click.option(
    "--preset",
    type=Choice(PRESETS),
    default="auto",
    help="demo: 15 minutes on two CPU cores. Default: auto, what fits the images and the device.",
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
    from ..training import RunFolder

    if given["precision"] == "auto":
        given["precision"] = None
    if not given["data"].startswith("sample:"):
        given["data"] = str(Path(given["data"]).resolve())
        check_apart(out, Path(given["data"]))
    options = TrainOptions(**given)
    device = choose_device(options.device)
    tune_convolutions()
    check_options(options, machine_of(device))
    folder = RunFolder(out)
    folder.check_unused()
    distributed.start(device)
    try:
        config, dataset = distributed.first_rank_first(lambda: configure(options, folder, device, to_stderr=dry_run))
        if dry_run:
            say(to_json(config))
        else:
            run(config, options, dataset, folder, device)
    finally:
        distributed.stop()


def check_apart(out: Path, data: Path) -> None:
    """Samples written among the training images would be trained on the next time."""
    if data.is_dir() and out.resolve().is_relative_to(data):
        raise UserError(f"--out {out}: it lies inside --data, where its pictures would count as images, choose another")


def say(line: str, err: bool = False) -> None:
    """Prints a line, from the first process only."""
    from .. import distributed

    if distributed.rank() == 0:
        click.echo(line, err=err)


def configure(
    options: TrainOptions, folder: "RunFolder", device: "torch.device", to_stderr: bool = False
) -> tuple[RunConfig, "ImageDataset"]:
    """The run's configuration (the old one where the folder has a run of the same options) and its data.

    to_stderr: reasons and warnings are printed there, so that nothing but the configuration is on stdout."""
    from .. import distributed

    if folder.has_begun():
        check_same_options(options, folder)
    full = with_preset(options)
    dataset = open_dataset(
        options.data,
        size=parse_size(full.size),
        fit=full.fit or "crop",
        use_labels=not options.no_labels,
        check_shape=block_shapes,
        quiet=distributed.rank() > 0,
    )
    if folder.has_begun():
        config = go_on(folder.read_config(), dataset, full)
    else:
        facts = DataFacts(
            image_shape=dataset.image_shape,
            classes=dataset.classes,
            count=len(dataset),
            fingerprint=dataset.fingerprint,
        )
        config, reasons = resolve(options, facts, machine_of(device))
        if options.augment_extra is not None:
            extra = read_extra(Path(options.augment_extra))
            config = dataclasses.replace(config, augment=dataclasses.replace(config.augment, extra=extra))
        for reason in reasons:
            say(with_flags(reason), to_stderr)
    check_batch(config, to_stderr)
    return config, dataset


def go_on(config: RunConfig, dataset: "ImageDataset", options: TrainOptions) -> RunConfig:
    """The configuration of a run that goes on, perhaps for longer, on the images that it began with."""
    if config.fingerprint != dataset.fingerprint:
        raise UserError(f"--data {options.data}: the images have changed since this run began, use a new --out")
    data = dataclasses.replace(config.data, source=options.data)
    given = {name: getattr(options, name) for name in ("kimg", "evaluate_kimg") if getattr(options, name) is not None}
    training = dataclasses.replace(config.training, stop_after=options.stop_after, **given)
    return dataclasses.replace(config, data=data, training=training)


def machine_of(device: "torch.device") -> Machine:
    import torch

    if device.type != "cuda":
        features: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in older torch
        return Machine(cuda=False, bf16=any(features.get(name) for name in ("avx512_bf16", "amx_bf16")))
    return Machine(cuda=True, bf16=torch.cuda.get_device_capability(device)[0] >= 8)


def check_batch(config: RunConfig, to_stderr: bool) -> None:
    """The batch must divide among the processes; the discriminator's minibatch statistics want whole groups."""
    from .. import distributed
    from ..networks.discriminator import GROUP_SIZE, largest_group

    batch, processes = config.training.batch, distributed.world_size()
    if batch % processes:
        raise UserError(f"--batch {batch}: it does not divide among {processes} processes, give a multiple")
    share = batch // processes
    micro_batch = min(config.training.micro_batch or share, share)
    parts = {part for part in (micro_batch, share % micro_batch) if part}
    if largest_group(batch) == 1:
        say(
            f"warning: --batch {batch} has no groups for minibatch statistics, give a multiple of {GROUP_SIZE}",
            to_stderr,
        )
    elif any(part % largest_group(batch) for part in parts):
        say(
            f"warning: {min(parts)} images at once are no multiple of {largest_group(batch)}, so the discriminator's "
            "minibatch statistics differ from those of the whole batch",
            to_stderr,
        )


def check_same_options(options: TrainOptions, folder: "RunFolder") -> None:
    """A run goes on only with its own options, but for those that change nothing of what it has learned."""
    before, now = folder.read_options(), dataclasses.asdict(options)
    for name in now:
        if name not in MAY_CHANGE and before.get(name) != now[name]:
            began = "without it" if before.get(name) is None else f"with {before[name]}"
            raise UserError(f"{flag(name)}: the run in {folder.path} began {began}; use a new --out for other options")


def run(
    config: RunConfig, options: TrainOptions, dataset: "ImageDataset", folder: "RunFolder", device: "torch.device"
) -> None:
    """Trains, with the folder's lock, and the signals and the errors of a command line."""
    from .. import distributed

    with ExitStack() as stack:
        distributed.first_rank_first(lambda: distributed.rank() > 0 or stack.enter_context(folder.locked()))
        _run(config, options, dataset, folder, device)


def _run(
    config: RunConfig, options: TrainOptions, dataset: "ImageDataset", folder: "RunFolder", device: "torch.device"
) -> None:
    from .. import distributed
    from ..training import Trainer, advice_on_memory
    from ..training.run_report import leave_report

    asked_to_stop = listen_for_stop()
    try:
        trainer = Trainer(config, dataset, folder, device, say)
        if distributed.rank() == 0:
            folder.write_options(dataclasses.asdict(options))
            folder.write_config(config)
            trainer.write_holdout()
        finished = trainer.train(lambda: bool(asked_to_stop))
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        anew = " with a new --out" if folder.has_begun() else ""
        raise RunFailed(f"out of memory on {device}: try {advice_on_memory(config)}{anew}") from None
    seen = f"{trainer.state.images_seen / 1000:.1f} kimg"
    if not finished:
        say(f"stopped at {seen}; the same command goes on from there")
        sys.exit(130)
    files = f"samples, {folder.curves_file.name} and {folder.generator_file.name}"
    say(f"finished at {seen}: {files} are in {folder.path}")
    if trainer.evaluator is not None:
        leave_report(folder, trainer.evaluator, config.training.evaluate_kimg * trainer.sec_per_kimg)


def is_out_of_memory(error: RuntimeError) -> bool:
    """By torch's own class, or by the words of the CPU's allocator and of CUDA's libraries."""
    import torch

    words = ("can't allocate memory", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)


def listen_for_stop() -> list[int]:
    """A list that the first Ctrl-C or SIGTERM is added to; a second one ends the process at once."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL)
        # not print: the signal may have come in the middle of one
        os.write(2, b"stopping after this step, with a checkpoint (again to stop at once)\n")

    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGTERM, note)
    return received
