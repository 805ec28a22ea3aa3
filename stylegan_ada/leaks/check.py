"""The check from its options on: a sheet, a classifier taught on real images, three runs, and what their images show.

`say` and `load` are as in training/start.py.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..augment import AugmentPipe
from ..config import RunConfig
from ..config.options import TrainOptions
from ..config.presets import with_preset
from ..config.resolve import check_options
from ..datasets import ImageDataset, load_dataset
from ..devices import machine_of
from ..errors import UserError
from ..files import TEMPORARY, check_folder
from ..progress import Say
from ..random import Draws
from ..sampling import load_generator
from ..training import RunFolder
from ..training.start import Ended, check_same_options, configure, locate_data, run
from .classifier import AugmentationClassifier
from .probes import Probe, probes
from .sheet import as_pixels, evenly_spaced_images, flat_pixels, write_augmentation_sheet
from .verdict import AS_IT_IS, LeakVerdict

SHEET_FILE = "sheet.png"
LEAKS_FILE = "leaks.json"
MOST_REAL = 2000  # to learn from: a support vector machine's time grows with their square
GENERATED = 4000


def leak_check_options(options: TrainOptions, out: Path, device: torch.device) -> TrainOptions:
    """The options of three small generators, measured by nothing but the classifier, with the whole path of the data.

    Raises the UserErrors that need no data, before any image is read.
    """
    options = dataclasses.replace(
        options, batch=32, precision="fp32", channel_base=2048, channel_max=64, evaluate_kimg=0
    )
    options = locate_data(options, out)
    _check_folder(out)
    check_options(with_preset(options), machine_of(device))
    return options


def _check_folder(out: Path) -> None:
    """It can be written, and nothing is written among files of another kind."""
    found = {name for name in check_folder(out) if not TEMPORARY.fullmatch(name)}  # of a process that was killed
    others = {name for name in found if not name.startswith("p-")} - {SHEET_FILE, LEAKS_FILE}
    if others:
        raise UserError(f"`out` {out}: the folder holds other files ({min(others)}), give a new one")


@dataclass(frozen=True, eq=False, kw_only=True)
class LeakCheck:
    """A check that is prepared; see `prepare_leak_check`.

    out: its folder. p: of the generator that is judged, beside those trained at 0 and 1. options, config: of all three
    runs, but for p. to_find: what the classifier looks for, by name.
    """

    out: Path
    p: float
    options: TrainOptions
    config: RunConfig
    dataset: ImageDataset
    device: torch.device
    pipe: AugmentPipe
    to_find: dict[str, Probe]

    def write_sheet(self) -> Path:
        """Real images augmented at several p."""
        write_augmentation_sheet(self.out / SHEET_FILE, self.pipe, self.dataset, self.device)
        return self.out / SHEET_FILE

    def learn(self) -> AugmentationClassifier:
        """A classifier of what `to_find` makes of real images. UserError without scikit-learn."""
        images = evenly_spaced_images(self.dataset, MOST_REAL).to(self.device)
        indices = torch.arange(len(images), device=self.device)
        versions = {AS_IT_IS: images}
        for name, probe in self.to_find.items():
            versions[name] = probe(images, Draws(0, f"probe/{name}", indices))
        return AugmentationClassifier({name: flat_pixels(as_pixels(version)) for name, version in versions.items()})

    def train(self, say: Say, should_stop: Callable[[], bool]) -> Ended:
        """Trains at each p, or goes on. Returns how the last run ended, which is not finished if it was stopped."""
        for p, folder in _folders(self.out, self.p).items():
            say(f"training at p = {p:g} in {folder.path}")
            augment = dataclasses.replace(self.config.augment, ada_p=p)
            config, options = dataclasses.replace(self.config, augment=augment), _options_at(self.options, p)
            ended = run(config, options, self.dataset, None, folder, self.device, say, should_stop)
            if not ended.finished:
                break
        return ended

    def judge(self, classifier: AugmentationClassifier) -> LeakVerdict:
        """The verdict on the images of the trained generators."""
        shares = {}
        for p, folder in _folders(self.out, self.p).items():
            images = load_generator(folder.path, self.device).sample_uint8(range(GENERATED))
            shares[p] = classifier.shares(flat_pixels(images))
        return LeakVerdict(p=self.p, generated=GENERATED, recognised=classifier.recognised(), shares=shares)


def prepare_leak_check(
    out: Path,
    options: TrainOptions,
    p: float,
    device: torch.device,
    say: Say,
    load: Callable[..., ImageDataset] = load_dataset,
) -> LeakCheck:
    """Opens the data and decides what to train and to find. options: of `leak_check_options`. p: between 0 and 1.

    UserError for options other than those that the folder's runs began with, and where there is nothing to find.
    """
    folders = _folders(out, p)
    for value, folder in folders.items():
        if folder.has_begun():
            check_same_options(_options_at(options, value), folder)
    config, dataset, _ = configure(_options_at(options, 0.0), folders[0.0], device, say, load)
    augment, image_shape = config.augment, config.network.image_shape
    pipe = AugmentPipe(augment.augment, image_shape, augment.augment_extra).to(device)
    to_find = probes(augment.augment, augment.augment_extra, image_shape)
    if not to_find:
        raise UserError("`augment` none: there is nothing to check, name groups or give `augment_extra`")
    return LeakCheck(
        out=out, p=p, options=options, config=config, dataset=dataset, device=device, pipe=pipe, to_find=to_find
    )


def _folders(out: Path, p: float) -> dict[float, RunFolder]:
    """The folders of the three runs, by p."""
    return {value: RunFolder(out / f"p-{value:g}") for value in (0.0, p, 1.0)}


def _options_at(options: TrainOptions, p: float) -> TrainOptions:
    return dataclasses.replace(options, ada_p=p)
