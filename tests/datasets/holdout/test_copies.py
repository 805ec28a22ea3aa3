"""Copies of images lie on one side of the hold-out. The tests know where they have planted them."""

import dataclasses
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada import UserError
from stylegan_ada.datasets import ImageDataset, holdout_split
from stylegan_ada.datasets.holdout.copies import copies_warnings, find_copies_in_set


def picture(seed: int) -> np.ndarray:
    """uint8 [48, 48]: blots."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48]
    blots = [np.exp(-((x - a) ** 2 + (y - b) ** 2) / 40) * rng.uniform(-90, 90) for a, b in rng.uniform(0, 48, (8, 2))]
    return np.clip(128 + sum(blots), 0, 255).astype(np.uint8)


def saved_again(image: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=85)
    return np.asarray(Image.open(file))


CHANGES = (np.copy, saved_again, lambda image: (image * 0.9 + 5).astype(np.uint8))


def set_of(
    images: list[np.ndarray], labels: list[Any] | np.ndarray | None = None, groups: tuple[str, ...] | None = None
) -> ImageDataset:
    labels = np.zeros(len(images), np.int64) if labels is None else np.asarray(labels)
    return ImageDataset(
        images=np.stack(images)[:, None],
        labels=labels,
        classes=tuple(f"c{label}" for label in np.unique(labels)),
        names=tuple(f"{index}.png" for index in range(len(images))),
        skipped=(),
        fingerprint="",
        groups=groups,
    )


@pytest.fixture
def planted() -> ImageDataset:
    """60 pictures, half of each of two classes, and after them a copy of each of the first 30: exact, saved again as
    JPEG, darker."""
    originals = [picture(seed) for seed in range(60)]
    copies = [CHANGES[index % 3](originals[index]) for index in range(30)]
    return set_of([*originals, *copies], [*(index % 2 for index in range(60)), *(index % 2 for index in range(30))])


PAIRS = [(index, 60 + index) for index in range(30)]


@pytest.mark.parametrize("seed", range(5))
def test_no_copy_lies_on_both_sides(planted: ImageDataset, seed: int) -> None:
    kept, held = holdout_split(planted, 0.2, None, seed, copies_together=True)
    assert sorted([*kept, *held]) == list(range(90))
    assert not [pair for pair in PAIRS if (pair[0] in held) != (pair[1] in held)]
    assert np.abs(np.bincount(planted.labels[held]) - 9).max() <= 1
    apart = holdout_split(planted, 0.2, None, seed)[1]
    assert [pair for pair in PAIRS if (pair[0] in apart) != (pair[1] in apart)]  # as it was


def test_copies_and_groups_together(planted: ImageDataset) -> None:
    """Picture 0, 2, ... of a patient each with the next; a copy is of a patient of its own."""
    groups = tuple(f"p{index // 2}" if index < 60 else f"q{index}" for index in range(90))
    _, held = holdout_split(dataclasses.replace(planted, groups=groups), 0.2, None, 1, copies_together=True)
    links = [*PAIRS, *((index, index + 1) for index in range(0, 60, 2))]
    assert not [pair for pair in links if (pair[0] in held) != (pair[1] in held)]
    assert 16 <= len(held) <= 20


def test_without_copies_the_split_is_what_it_was() -> None:
    alone = set_of([picture(seed) for seed in range(30)], np.arange(30) % 3 % 2)
    for groups in (None, tuple(f"g{index * 7 % 11}" for index in range(30))):
        dataset = dataclasses.replace(alone, groups=groups)
        for now, before in zip(
            holdout_split(dataset, 0.25, 12, 3, True), holdout_split(dataset, 0.25, 12, 3), strict=True
        ):
            np.testing.assert_array_equal(now, before)


def test_old_runs_keep_their_holdout_split() -> None:
    """What the code before gave for these labels, groups and seeds, whatever are copies."""
    dataset = set_of([picture(index // 2) for index in range(30)], np.arange(30) % 3 % 2)
    assert holdout_split(dataset, 0.25, None, 3)[1].tolist() == [2, 9, 10, 11, 13, 14, 23]
    assert holdout_split(dataset, 0.25, 12, 5)[0].tolist() == [4, 6, 7, 8, 9, 14, 15, 16, 18, 19, 27, 29]
    grouped = dataclasses.replace(dataset, groups=tuple(f"g{index * 7 % 11}" for index in range(30)))
    assert holdout_split(grouped, 0.25, None, 3)[1].tolist() == [0, 2, 10, 11, 13, 21, 22, 24]
    assert holdout_split(grouped, 0.25, 12, 5)[0].tolist() == [2, 4, 5, 6, 7, 8, 9, 16, 18, 26, 27, 29]


@pytest.fixture
def film() -> ImageDataset:
    """Class 0: 160 frames, each like the next, the 80th the negative of the first. Class 1: 20 pictures."""
    first, last = picture(100) - 128.0, picture(101) - 128.0
    angles = np.arange(160) * np.pi / 80
    frames = [np.clip(128 + np.cos(angle) * first + np.sin(angle) * last, 0, 255).astype(np.uint8) for angle in angles]
    return set_of([*frames, *(picture(seed) for seed in range(20))], [0] * 160 + [1] * 20)


def test_a_chain_of_a_whole_class_is_cut_and_said(film: ImageDataset) -> None:
    found = find_copies_in_set(film)
    assert {(index, index + 1) for index in range(159)} <= set(map(tuple, found.near.tolist()))
    kept, held = holdout_split(film, 0.2, None, 0, copies_together=True)
    assert np.bincount(film.labels[held]).tolist() == [32, 4]
    assert np.bincount(film.labels[kept]).tolist() == [128, 16]
    (line,) = copies_warnings(film, found, 0.2, 0)
    assert line.startswith("warning: 160 images are linked by near copies")
    assert "`groups`" in line


def test_a_chain_of_a_part_of_a_class_stays_whole(film: ImageDataset) -> None:
    """Twenty other pictures of class 0 suffice for what is to be held out."""
    dataset = set_of([*film.images[:, 0], *(picture(seed) for seed in range(30, 50))], [*film.labels, *[0] * 20])
    _, held = holdout_split(dataset, 0.2, None, 0, copies_together=True)
    assert len({index in held for index in range(160)}) == 1
    assert np.bincount(dataset.labels[held]).tolist() == [20, 4]
    assert copies_warnings(dataset, find_copies_in_set(dataset), 0.2, 0) == []


def test_a_set_of_one_picture_cannot_be_holdout_split() -> None:
    with pytest.raises(UserError, match=r"`holdout` 0\.2: .* copies of each other"):
        holdout_split(set_of([picture(0)] * 20), 0.2, None, 0, copies_together=True)


def test_copies_in_two_classes_are_named(planted: ImageDataset) -> None:
    labels = planted.labels.copy()
    labels[[60, 61]] ^= 1
    mixed = dataclasses.replace(planted, labels=labels)
    (line,) = copies_warnings(mixed, find_copies_in_set(mixed), 0.2, 0)
    assert line.startswith("warning: 2 pairs of copies are in two classes (first: '0.png' and '60.png')")


def test_blank_images_do_not_join_patients() -> None:
    blank = np.zeros((48, 48), np.uint8)
    images = [blank if index % 5 == 0 else picture(index) for index in range(50)]
    groups = tuple(f"p{index // 5}" for index in range(50))
    _, held = holdout_split(set_of(images, groups=groups), 0.2, None, 0, copies_together=True)
    assert len(held) == 10
    assert len({groups[index] for index in held}) == 2


def test_images_of_more_than_8_bits_are_the_same_by_their_levels() -> None:
    small = [picture(index) for index in range(6)]
    levels = np.stack(small)[:, None].astype(np.uint16) * 256
    dataset = dataclasses.replace(set_of(small), levels=np.concatenate([levels[:5], levels[:1]]), window=(0.0, 1.0))
    assert find_copies_in_set(dataset).exact.tolist() == [0, 1, 2, 3, 4, 0]


def test_the_pairs_found_are_those_planted(planted: ImageDataset) -> None:
    found = find_copies_in_set(planted)
    exact = [(int(first), index) for index, first in enumerate(found.exact) if first != index]
    assert sorted([*exact, *map(tuple, found.near.tolist())]) == PAIRS
