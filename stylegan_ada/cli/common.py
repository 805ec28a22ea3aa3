"""What several commands share: opening data, choosing a device, progress bars, settings of the whole process."""

import ctypes
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ..errors import UserError, cannot_write, nearest

if TYPE_CHECKING:
    import torch

    from ..datasets import ImageDataset
    from ..metrics.evaluate import RealImages

DEVICES = ("auto", "cpu", "cuda")
MOST_IMAGES = 5000  # generated to measure by unless told, so that a large set does not take hours on a CPU


class Choice(click.Choice[str]):
    """A choice that offers the nearest one for a misspelt one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            option = param.opts[0] if param else "option"
            raise UserError(f"{option} {value}: no such choice, {nearest(str(value), self.choices)}")
        return super().convert(value, param, ctx)


RUN = click.argument("run", type=click.Path(path_type=Path))
DEVICE = click.option("--device", type=Choice(DEVICES), default="auto")
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's <malloc.h>


def keep_freed_memory() -> None:
    """Tells glibc to keep large freed blocks, instead of handing them back to the system and clearing them anew."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)  # never
    except (OSError, AttributeError):
        return  # another C library: its own habits stay


def choose_device(name: str) -> "torch.device":
    """auto, cpu or cuda -> the device, by local rank where there are several GPUs."""
    import torch

    from .. import distributed

    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no GPU here, use --device cpu or install a CUDA build of torch")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if distributed.local_rank() >= torch.cuda.device_count():
        raise UserError(f"{distributed.local_rank() + 1} processes for {torch.cuda.device_count()} GPUs: start fewer")
    device = torch.device("cuda", distributed.local_rank())
    torch.cuda.set_device(device)
    # TF32 is off, so that a seed's image does not depend on its batch
    torch.backends.cudnn.allow_tf32 = False
    return device


def tune_convolutions() -> None:
    """For training on a GPU: the fastest algorithms, in TF32 too."""
    import torch

    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, shown from the first call of what this yields: progress(done, total)."""
    bars: list[Any] = []

    def progress(done: int, total: int) -> None:
        if not bars:
            bars.append(click.progressbar(length=total, label=label, file=sys.stderr).__enter__())
        bars[0].update(done - bars[0].pos)

    try:
        yield progress
    finally:
        for bar in bars:
            bar.__exit__(None, None, None)


def open_dataset(
    source: str,
    *,
    size: tuple[int, int] | None,
    fit: str,
    use_labels: bool,
    channels: int | None = None,
    check_shape: Callable[[int, int], object] | None = None,
    quiet: bool = False,
) -> "ImageDataset":
    """The packed data set, with a progress bar while it is packed and a word on files that could not be read."""
    from ..datasets import load_dataset, sample_licence

    with progress_bar("packing images") as progress:
        dataset = load_dataset(
            source,
            size=size,
            use_labels=use_labels,
            fit=fit,
            channels=channels,
            check_shape=check_shape,
            progress=None if quiet else progress,
        )
    licence = sample_licence(source)
    if licence and not quiet:
        click.echo(licence, err=True)
    if dataset.skipped and not quiet:
        click.echo(f"warning: {len(dataset.skipped)} files could not be read and are left out:", err=True)
        for name, reason in dataset.skipped:
            click.echo(f"  {name}: {reason}", err=True)
    return dataset


def run_images(run: Path, data: str | None) -> "RealImages":
    """The real images to judge a run by: its own, or those of `data` prepared as its own are.

    run: a run folder, or a generator file with `data`, which then counts as what it was trained on.
    """
    from ..checkpoint import read_generator
    from ..datasets import split
    from ..metrics.evaluate import RealImages, real_images
    from ..resolve import parse_size
    from ..training.run_folder import RunFolder

    folder = RunFolder(run)
    config = folder.read_config() if folder.is_run() else None
    if data is None:
        if config is None:
            raise UserError(f"{run}: not a run folder, say with --data which images to compare with")
        own = config.data
        if not own.source.startswith("sample:") and not Path(own.source).exists():
            raise UserError(f"{own.source}: the run's images are no longer there, name their new place with --data")
        # the very options of the training, so that the packed images are found
        dataset = open_dataset(own.source, size=parse_size(own.size), fit=own.fit, use_labels=own.labels)
        return real_images(dataset, *split(dataset, own.holdout, own.subset, config.training.seed))
    network = read_generator(run)[1].network if config is None else config.network
    dataset = open_dataset(
        data,
        size=(network.height, network.width),
        fit="crop" if config is None else config.data.fit,
        use_labels=network.c_dim > 0,
        channels=network.channels,
    )
    everything = np.arange(len(dataset))
    if config is None:
        return RealImages(dataset=dataset, reference=everything, trained_on=everything)
    if dataset.fingerprint != config.fingerprint:
        return RealImages(dataset=dataset, reference=everything)
    trained_on, held_out = split(dataset, config.data.holdout, config.data.subset, config.training.seed)
    held = held_out if len(held_out) else None
    return RealImages(dataset=dataset, reference=everything, trained_on=trained_on, held_out=held)


def check_new_folder(path: Path) -> None:
    """--out must not exist, or be an empty folder."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(f"--out {path}: it exists already, give a new folder")


def check_new_file(path: Path) -> None:
    """--out must not exist, in a folder that does."""
    if path.exists():
        raise UserError(f"--out {path}: it exists already, give a new file")
    if not path.parent.is_dir():
        raise UserError(f"--out {path}: there is no folder {path.parent}, make it or choose another")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that becomes it when the block ends well, and is deleted otherwise."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            path.rmdir()  # empty, as checked
        temporary.rename(path)
    except OSError as error:
        raise cannot_write(error, f"cannot write {path}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
