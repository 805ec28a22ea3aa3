"""The real images: what classifiers learn from, and what they are tested on."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config.preparation import Preparation
from ..datasets import ImageDataset, ImageSubset, Pictures, load_dataset, same_pictures
from ..errors import UserError, nearest
from ..training.run_folder import RunFolder
from ..training.run_images import load_other, run_images
from .comparison import FEW
from .target import Target

MOST_NAMED = 10  # of the images left out


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelledImages:
    """Some images of a set. members: int64 [n], their indices in it. labels: int64 [n], numbered as the generator's
    classes."""

    dataset: ImageDataset
    members: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.members)

    @property
    def pictures(self) -> ImageSubset:
        return ImageSubset(self.dataset.images, self.members)

    @property
    def names(self) -> list[str]:
        return [self.dataset.names[index] for index in self.members]

    @property
    def groups(self) -> tuple[str, ...] | None:
        groups = self.dataset.groups
        return None if groups is None else tuple(groups[index] for index in self.members)

    @property
    def units(self) -> NDArray[np.int64]:
        """int64 [n]: what belongs together: groups, or each image alone."""
        return np.arange(len(self)) if self.groups is None else np.unique(self.groups, return_inverse=True)[1]

    def only(self, chosen: NDArray[np.bool_]) -> "LabelledImages":
        return replace(self, members=self.members[chosen], labels=self.labels[chosen])


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainTestImages:
    """train: what the run was trained on. test: what it never saw. classes: names. refused: (file, why) of test images
    that are left out. warnings: lines on what the test images cannot tell."""

    train: LabelledImages
    test: LabelledImages
    classes: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]

    @property
    def warnings(self) -> list[str]:
        """Warnings on what the test images cannot tell."""
        counts = Counter(self.test.labels.tolist())
        lines = []
        for label, name in enumerate(self.classes):
            if not counts[label]:
                lines.append(f"class {name} has no test images: nothing is known of it, and it does not count")
            elif counts[label] < FEW:
                lines.append(f"class {name} has only {counts[label]} test images: intervals are widened for it")
        return lines

    @property
    def notes(self) -> list[str]:
        """The warnings, and what was left out, the first of many."""
        lines = self.warnings
        lines += [f"{name} is left out of the test: {why}" for name, why in self.refused[:MOST_NAMED]]
        if len(self.refused) > MOST_NAMED:
            lines.append(f"{len(self.refused) - MOST_NAMED} more are left out: results.json names them")
        return lines


def open_real(
    run: Path,
    target: Target,
    data: str | None,
    test: str | None,
    load: Callable[..., ImageDataset] = load_dataset,
) -> TrainTestImages:
    """The images that a run was trained on, and those that it held out, or those of `test`.

    run: a run folder, or a generator's file with `data`. target: what is to be named. load: as `load_dataset`. Test
    images that the run was trained on, or whose group it was, are left out by name. UserError where there are no
    images to learn from or to test on, or where they have other classes. Images without a value of the target do not
    count.
    """
    if not target.classes:
        raise UserError(f"{run}: this generator was trained without labels, so there is nothing to classify")
    own = run_images(run, data, load)
    if own.trained_on is None:
        raise UserError(f"`data` {data}: these are not the images that the run was trained on")
    train = _labelled(own.dataset, own.trained_on, target, "the training set")
    if test is not None:
        folder = RunFolder(run)
        prepared = folder.read_config().data.preparation if folder.is_run() else Preparation(attributes=target.asked)
        channels, height, width = own.dataset.image_shape
        preparation = replace(
            prepared,
            size=(height, width),
            use_labels=True,
            channels=channels,
            beyond_8_bits=own.dataset.window is not None,
            window=own.dataset.window,
            split=None,
        )
        other = load_other(test, preparation, load)
        tested = _labelled(other, np.arange(len(other)), target, f"`test` {test}")
    elif own.held_out is None:
        raise UserError(f"{run}: it held out no images to test on, name others by `test`, or train with `holdout` 0.25")
    else:
        tested = _labelled(own.dataset, own.held_out, target, "the held-out set")
    usable, refused = without_seen(tested, train)
    require_two_classes(usable, refused)
    return TrainTestImages(train=train, test=usable, classes=target.classes, refused=refused)


def without_seen(test: LabelledImages, train: LabelledImages) -> tuple[LabelledImages, tuple[tuple[str, str], ...]]:
    """The test images that are of no training image's group, nor the same picture as one; the others with a reason."""
    reasons: dict[int, str] = {}
    same = same_pictures(test.pictures, train.pictures)
    for index in np.flatnonzero(same >= 0).tolist():
        reasons[index] = f"the run was trained on this picture, as {train.names[same[index]]}"
    trained_groups = set(train.groups or ())
    for index, group in enumerate(test.groups or ()):
        if group in trained_groups:
            reasons[index] = f"the run was trained on images of its group, {group}"
    return leave_out(test, reasons)


def without_synthetic(
    test: LabelledImages, synthetic: Pictures, file_of: Callable[[int], str]
) -> tuple[LabelledImages, tuple[tuple[str, str], ...]]:
    """The same for test images that a synthetic image, repeats: its generator has seen them."""
    same = same_pictures(test.pictures, synthetic)
    reasons = {
        index: f"a synthetic image is this picture, {file_of(same[index])}"
        for index in np.flatnonzero(same >= 0).tolist()
    }
    return leave_out(test, reasons)


def leave_out(test: LabelledImages, reasons: dict[int, str]) -> tuple[LabelledImages, tuple[tuple[str, str], ...]]:
    """Test images by index and why."""
    refused = tuple((test.names[index], reasons[index]) for index in sorted(reasons))
    return test.only(~np.isin(np.arange(len(test)), list(reasons))), refused


def require_two_classes(usable: LabelledImages, refused: tuple[tuple[str, str], ...]) -> None:
    """Raises UserError where the test images that are left are of fewer than two classes."""
    if len(np.unique(usable.labels)) < 2:
        first = f", first {refused[0][0]}: {refused[0][1]}" if refused else ""
        whole = len(usable) + len(refused)
        raise UserError(
            f"there are test images of fewer than two classes ({len(refused)} of {whole} were refused{first}): "
            "give others by `test`"
        )


def _labelled(dataset: ImageDataset, members: NDArray[np.int64], target: Target, what: str) -> LabelledImages:
    dataset = target.of_dataset(dataset, what)
    labels = numbered(dataset, target.classes, what)
    known = members[labels[members] >= 0]
    return LabelledImages(dataset=dataset, members=known, labels=labels[known])


def numbered(dataset: ImageDataset, classes: Sequence[str], what: str) -> NDArray[np.int64]:
    """[N]: a set's labels, numbered as the generator's classes, -1 where there is none. UserError, on `what`, for
    another class or a set without any."""
    if dataset.labels is None:
        raise UserError(f"{what}: its images have no classes, put them into a folder per class")
    for name in dataset.classes:
        if name not in classes:
            raise UserError(f"{what}: the generator has no class {name!r}, {nearest(name, classes)}")
    return np.array([*(classes.index(name) for name in dataset.classes), -1])[dataset.labels]
