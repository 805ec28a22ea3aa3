"""A run from the options that a user gave: how it begins or goes on, and what it leaves when it ends.

`say` is a function that prints a line, and `load` one that is called as `load_dataset` is. Every process calls them: it
is for them to print what the first one says only.
"""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch

from .. import distributed
from ..augment.extra import read_extra
from ..config import ExtraAugmentation, RunConfig
from ..config.masks import ALPHA, BESIDE
from ..config.network import block_shapes
from ..config.options import MAY_CHANGE, TrainOptions
from ..config.presets import with_preset
from ..config.resolve import Facts, check_options, data_of, resolve
from ..datasets import ImageDataset, load_dataset
from ..datasets.holdout.copies import copies_warnings, find_copies_in_set
from ..devices import machine_of
from ..errors import RunFailed, UserError, is_out_of_memory
from ..files import user_path
from ..networks.discriminator import GROUP_SIZE, largest_group
from ..networks.transfer import check_transfer
from ..progress import Say
from .outputs.memory import advice_on_memory
from .run_folder import RunFolder
from .run_images import load_as
from .run_report import leave_report
from .state import fresh_state
from .trained import Trained, check_freeze_options, read_trained, take_over
from .trainer import Trainer


@dataclass(frozen=True, eq=False, kw_only=True)
class Ended:
    """The outcome of training."""

    finished: bool  # False if it was asked to stop: with the same options it goes on from there
    trainer: Trainer

    @property
    def kimg(self) -> float:
        """Thousands of real images that the discriminator has seen."""
        return self.trainer.state.images_seen / 1000


def train(
    options: TrainOptions,
    folder: RunFolder,
    device: torch.device,
    say: Say,
    should_stop: Callable[[], bool] = lambda: False,
    load: Callable[..., ImageDataset] = load_dataset,
) -> Ended:
    """Trains in `folder` by these options, from where an earlier call with the same ones ended.

    should_stop is asked after every step; the run then ends with a checkpoint. Under torchrun `distributed.start` comes
    first. UserError for options, images or a folder that do not serve; RunFailed if memory or the disk does not suffice
    or training diverges.
    """
    options = check(options, folder, device)
    config, dataset, trained = configure(options, folder, device, say, load)
    return run(config, options, dataset, trained, folder, device, say, should_stop)


def check(options: TrainOptions, folder: RunFolder, device: torch.device) -> TrainOptions:
    """The options with the data's whole path. The UserErrors that need no data, before any image is read."""
    options = locate_data(options, folder.path)
    check_options(with_preset(options), machine_of(device))
    folder.check_unused()
    return options


def locate_data(options: TrainOptions, out: Path) -> TrainOptions:
    """The options with whole paths, for a later day in another folder.

    UserError if `out` lies inside the data: samples written among the images would be trained on the next time.
    """
    if options.init_from is not None:
        options = dataclasses.replace(options, init_from=str(user_path(options.init_from).resolve()))
    if options.masks not in (None, BESIDE, ALPHA):
        options = dataclasses.replace(options, masks=str(user_path(options.masks).resolve()))
    if options.data.startswith("sample:"):
        return options
    data = user_path(options.data).resolve()
    if data.is_dir() and out.resolve().is_relative_to(data):
        raise UserError(f"`out` {out}: it lies inside `data`, where its pictures would count as images, choose another")
    return dataclasses.replace(options, data=str(data))


def configure(
    options: TrainOptions,
    folder: RunFolder,
    device: torch.device,
    say: Say,
    load: Callable[..., ImageDataset] = load_dataset,
) -> tuple[RunConfig, ImageDataset, Trained | None]:
    """The run's configuration (the old one where the folder has a run of the same options), its data, and the networks
    that it starts from, None where it goes on or starts from none.

    say: told the reason of each choice that was made, and warnings. Under torchrun the first process packs the images.
    """
    distributed.wait_at_most(distributed.LONG)
    return distributed.first_rank_first(lambda: _configure(options, folder, device, say, load))


def _configure(
    options: TrainOptions,
    folder: RunFolder,
    device: torch.device,
    say: Say,
    load: Callable[..., ImageDataset],
) -> tuple[RunConfig, ImageDataset, Trained | None]:
    trained = None
    if folder.has_begun():
        check_same_options(options, folder)
    full = with_preset(options)
    if folder.has_begun():
        before = folder.read_config()
        data = dataclasses.replace(before.data, data=options.data, masks=options.masks)
        dataset = load_as(dataclasses.replace(before, data=data), load, check_shape=block_shapes)
        config = _go_on(before, dataset, full)
    else:
        if folder.is_run():
            say(f"{folder.path} has no checkpoint yet: the run begins anew")
        if options.init_from is not None:  # before the images, which may take long to pack
            trained = read_trained(Path(options.init_from))
        extra = () if options.augment_extra is None else read_extra(user_path(options.augment_extra))
        dataset = load(options.data, data_of(full).preparation, check_shape=block_shapes)
        config = _begin(dataset, trained, extra, full, device, say)
    _check_batch(config, say)
    return config, dataset, trained


def _begin(
    dataset: ImageDataset,
    trained: Trained | None,
    extra: tuple[ExtraAugmentation, ...],
    options: TrainOptions,
    device: torch.device,
    say: Say,
) -> RunConfig:
    """The configuration of a new run. extra: the user's own augmentations."""
    facts = Facts(
        image_shape=dataset.image_shape,
        classes=dataset.classes,
        attributes=dataset.attributes,
        count=len(dataset),
        fingerprint=dataset.fingerprint,
        window=dataset.window,
        mask_kinds=dataset.mask_kinds,
        augment_extra=extra,
        trained=None if trained is None else trained.facts,
    )
    config, reasons = resolve(options, facts, machine_of(device))
    if trained is not None:
        check_transfer(trained.described.config, config.network)
        check_freeze_options(config, trained)
    if dataset.window is not None:
        low, high = dataset.window
        say(f"more than 8 bits: {low:g} is black and {high:g} white ({dataset.window_from})")
        say("grids and metrics are of this in 8 bits")
    for reason in (*dataset.notes, *_on_copies(dataset, config), *reasons):
        say(reason)
    return config


def _on_copies(dataset: ImageDataset, config: RunConfig) -> list[str]:
    copies, holdout = find_copies_in_set(dataset), config.data.holdout
    if not copies.count:
        return []
    one, other = (dataset.names[index] for index in copies.pairs[0])
    line = f"{copies.count} images are copies of others, exact or nearly (first: {one!r} and {other!r})"
    if holdout:
        line += ": copies are kept on one side of the hold-out"
    return [line, *copies_warnings(dataset, copies, holdout, config.training.seed)]


def _go_on(config: RunConfig, dataset: ImageDataset, options: TrainOptions) -> RunConfig:
    """The configuration of a run that goes on, perhaps for longer, on the images that it began with."""
    if config.classes != dataset.classes:
        raise UserError(
            f"`data` {options.data}: this run began with {len(config.classes)} classes, {_named(config.classes)}, and "
            f"now there are {len(dataset.classes)}, {_named(dataset.classes)} (those that images have, in order): "
            "use a new `out`"
        )
    if config.mask_kinds != dataset.mask_kinds:
        raise UserError(
            f"`masks` {options.masks or 'not given'}: this run began {_with_masks(config.mask_kinds)}, and now its "
            f"images come {_with_masks(dataset.mask_kinds)}: give `masks` as then, or use a new `out`"
        )
    if config.fingerprint != dataset.fingerprint:
        raise UserError(
            f"`data` {options.data}: the images have changed since this run began: use a new `out`, "
            "where `init_from` with this run goes on from what it has learned"
        )
    data = dataclasses.replace(config.data, data=options.data, masks=options.masks)
    names = ("kimg", "evaluate_kimg", "timeout")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    training = dataclasses.replace(config.training, stop_after=options.stop_after, **given)
    return dataclasses.replace(config, data=data, training=training)


def _named(classes: Sequence[str]) -> str:
    return ", ".join(map(repr, classes[:5])) + (", ..." if len(classes) > 5 else "")


def _with_masks(kinds: Sequence[str]) -> str:
    return f"with masks of {_named(kinds)}" if kinds else "without masks"


def _check_batch(config: RunConfig, say: Say) -> None:
    """The batch must divide among the processes; the discriminator's minibatch statistics want whole groups."""
    batch, processes = config.training.batch, distributed.world_size()
    if batch % processes:
        raise UserError(f"`batch` {batch}: it does not divide among {processes} processes, give a multiple")
    share = batch // processes
    micro_batch = min(config.training.micro_batch or share, share)
    parts = {part for part in (micro_batch, share % micro_batch) if part}
    if largest_group(batch) == 1:
        say(f"warning: `batch` {batch} has no groups for minibatch statistics, give a multiple of {GROUP_SIZE}")
    elif any(part % largest_group(batch) for part in parts):
        say(
            f"warning: {min(parts)} images at once are no multiple of {largest_group(batch)}, so the discriminator's "
            "minibatch statistics differ from those of the whole batch"
        )


def check_same_options(options: TrainOptions, folder: RunFolder) -> None:
    """A run goes on with the options that it began with only, except those in MAY_CHANGE."""
    now = dataclasses.asdict(options)
    before = dataclasses.asdict(TrainOptions(data="")) | folder.read_options()  # old runs lack what is newer
    for name in now:
        if name not in MAY_CHANGE and before[name] != now[name]:
            began = "without it" if before[name] in (None, False) else f"with {before[name]}"
            raise UserError(f"`{name}`: the run in {folder.path} began {began}; use a new `out` for other options")


def run(
    config: RunConfig,
    options: TrainOptions,
    dataset: ImageDataset,
    trained: Trained | None,
    folder: RunFolder,
    device: torch.device,
    say: Say,
    should_stop: Callable[[], bool],
) -> Ended:
    """Trains what `configure` gave, with the folder's lock, and leaves a report if the generator was measured."""
    with ExitStack() as stack:
        distributed.first_rank_first(lambda: distributed.rank() > 0 or stack.enter_context(folder.locked()))
        distributed.wait_at_most(timedelta(minutes=config.training.timeout))
        try:
            trainer = Trainer(config, dataset, folder, device, say)
            if trained is not None:
                for line in take_over(trainer.state, config, trained):
                    say(line)
            if distributed.rank() == 0:
                folder.write_options(dataclasses.asdict(options))
                folder.write_config(config)
                trainer.write_holdout()
            ended = Ended(finished=trainer.train(should_stop), trainer=trainer)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            anew = " with a new `out`" if folder.has_begun() else ""
            raise RunFailed(f"out of memory on {device}: try {advice_on_memory(config)}{anew}") from None
        if ended.finished:
            files = f"samples, {folder.curves_file.name} and {folder.generator_file.name}"
            say(f"finished at {ended.kimg:.1f} kimg: {files} are in {folder.path}")
            if trainer.evaluator is not None:
                leave_report(folder, trainer.evaluator, config.training.evaluate_kimg * trainer.sec_per_kimg)
    return ended


def preview(config: RunConfig, trained: Trained) -> list[str]:
    """The lines on what a run would take from trained networks, as `run` says them."""
    return take_over(fresh_state(config, torch.device("cpu")), config, trained)
