import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader

import stylegan_ada
from stylegan_ada import SyntheticDataset, UserError
from stylegan_ada.cli.generate_dataset import dataset as command
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset


def test_the_images_are_those_of_the_command(generator_file: Path, tmp_path: Path) -> None:
    dataset = SyntheticDataset(generator_file, per_class=40, seed=3, truncation_psi=0.7)
    assert dataset.classes == ("a", "b")
    assert len(dataset) == 80
    options = ["--per-class", "40", "--seed", "3", "--psi", "0.7", "--device", "cpu"]
    command([str(generator_file), "--out", str(tmp_path / "out"), *options], standalone_mode=False)
    written = load_dataset(str(tmp_path / "out"), Preparation(size=16))
    for index in (0, 31, 32, 39, 40, 79, -1):
        image, label = dataset[index]
        assert image.dtype == torch.uint8
        assert label == written.labels[index]
        assert np.abs(image.numpy().astype(int) - written.images[index]).max() <= 1
    with pytest.raises(IndexError):
        dataset[80]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_make_the_same_images(generator_file: Path, context: str) -> None:
    dataset = SyntheticDataset(generator_file, per_class=33)
    loader = DataLoader(dataset, batch_size=32, num_workers=2, multiprocessing_context=context)
    images, labels = zip(*loader, strict=True)
    assert torch.cat(labels).tolist() == [0] * 33 + [1] * 33
    expected = torch.stack([dataset[index][0] for index in range(66)])
    assert (torch.cat(images).int() - expected.int()).abs().max() <= 1


def test_beside_real_data(generator_file: Path) -> None:
    dataset = SyntheticDataset(generator_file, per_class=2, transform=lambda image: image.float() / 255)
    real = [(torch.rand(1, 16, 16), label) for label in (0, 1, 1)]
    images, labels = next(iter(DataLoader(ConcatDataset([real, dataset]), batch_size=7)))
    assert images.shape == (7, 1, 16, 16)
    assert labels.tolist() == [0, 1, 1, 0, 0, 1, 1]


def test_cuda_in_a_worker_is_a_clear_error(generator_file: Path) -> None:
    dataset = SyntheticDataset(generator_file, per_class=2, device="cuda")
    with pytest.raises(UserError, match="num_workers=0"):
        next(iter(DataLoader(dataset, num_workers=1)))


def test_it_is_pickled_without_its_generator(generator_file: Path) -> None:
    dataset = SyntheticDataset(generator_file, per_class=2)
    small = len(pickle.dumps(dataset))
    first = dataset[0][0]
    assert len(pickle.dumps(dataset)) == small
    assert torch.equal(pickle.loads(pickle.dumps(dataset))[0][0], first)


def test_blocks_are_made_once_and_the_last_ones_kept(generator_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = SyntheticDataset(generator_file, per_class=64, blocks_kept=2)
    made = []
    sample = stylegan_ada.TrainedGenerator.sample_pairs
    monkeypatch.setattr(
        stylegan_ada.TrainedGenerator,
        "sample_pairs",
        lambda self, seeds, *more, **options: made.append(seeds[0]) or sample(self, seeds, *more, **options),
    )
    for index in (0, 1, 40, 2, 70, 3, 41):
        dataset[index]
    assert made == [0, 64, 32, 64]


def test_changing_an_item_changes_no_other(generator_file: Path) -> None:
    dataset = SyntheticDataset(generator_file, per_class=1)
    before = dataset[0][0].clone()
    dataset[0][0].zero_()
    assert torch.equal(dataset[0][0], before)


def test_without_labels(make_generator_file: Callable[..., Any]) -> None:
    dataset = SyntheticDataset(make_generator_file(()), per_class=3)
    assert (len(dataset), dataset.classes, dataset[2][1]) == (3, (), 0)


def test_bad_input(generator_file: Path, tmp_path: Path) -> None:
    for options in ({"per_class": 0}, {"per_class": 1, "truncation_psi": 3}, {"per_class": 1, "seed": -1}):
        with pytest.raises(UserError):
            SyntheticDataset(generator_file, **options)
    with pytest.raises(UserError, match="no generator there"):
        SyntheticDataset(tmp_path, per_class=1)
