import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada import load_generator
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.training import RunFolder, Trainer
from stylegan_ada.training.schedule import label_weight


@pytest.mark.parametrize(
    ("images", "weight"), [(0, 0), (1999, 0), (2000, 0), (2500, 0.25), (3000, 0.5), (4000, 1), (10**9, 1)]
)
def test_labels_come_in_linearly(images: int, weight: float) -> None:
    assert label_weight(images, (2.0, 4.0)) == weight


def test_a_window_without_length_is_a_step() -> None:
    assert [label_weight(images, (1.0, 1.0)) for images in (999, 1000)] == [0, 1]


@pytest.fixture
def train(dataset: ImageDataset, tmp_path: Path, tiny_config: Callable[..., Any]) -> Callable[..., Any]:
    """Trains with labels blended in between 16 and 48 images, in a folder, and gives the trainer."""

    def run(
        name: str = "run",
        images: ImageDataset = dataset,
        transition: tuple[float, float] | None = (0.016, 0.048),
        balance: float = 0.0,
        **training: float,
    ) -> Trainer:
        config = tiny_config(transition=transition, **training)
        network = dataclasses.replace(config.network, transitional=transition is not None)
        data = dataclasses.replace(config.data, balance=balance)
        config = dataclasses.replace(config, network=network, data=data)
        folder = RunFolder(tmp_path / name)
        with folder.locked():
            trainer = Trainer(config, images, folder, torch.device("cpu"), [].append)
            trainer.train(lambda: False)
        return trainer

    return run


def test_labels_come_in_as_the_run_goes_on(train: Callable[..., Any], tmp_path: Path) -> None:
    train(kimg=0.04)
    weights = [row["label_weight"] for row in RunFolder(tmp_path / "run").read_log()]
    assert weights == [0, 0, 0, 0.25, 0.5]  # of steps that begin at 0, 8, ... 32 images
    generator = load_generator(tmp_path / "run")
    assert float(generator.network.mapping.label_weight) == 0.5
    one = generator.sample([1], ["bright"])
    generator.network.mapping.blend(0.0)
    assert np.array_equal(generator.sample([1], ["bright"]), generator.sample([1], ["dark"]))
    assert not np.array_equal(one, generator.sample([1], ["bright"]))
    train(kimg=0.064)
    assert float(load_generator(tmp_path / "run").network.mapping.label_weight) == 1


def test_a_run_resumed_in_the_transition_is_the_run_uninterrupted(train: Callable[..., Any], tmp_path: Path) -> None:
    train("whole", kimg=0.056)
    train("parts", kimg=0.032)
    train("parts", kimg=0.056)
    whole, parts = (
        torch.load(tmp_path / name / "checkpoint-0000000056.pt", weights_only=True) for name in ("whole", "parts")
    )
    for network in ("generator", "generator_ema", "discriminator"):
        assert whole[network].keys() == parts[network].keys()
        assert all(torch.equal(tensor, parts[network][name]) for name, tensor in whole[network].items())
    assert "unconditional.weight" in whole["discriminator"]


def test_real_and_generated_images_have_the_balanced_shares(train: Callable[..., Any], dataset: ImageDataset) -> None:
    labels = np.zeros_like(dataset.labels)
    labels[[1, 3, 5]] = 1  # three of 24
    trainer = train(images=dataclasses.replace(dataset, labels=labels), transition=None, balance=1.0, kimg=0.008)
    assert trainer.objective.label_table.mean(dim=0).tolist() == [0.5, 0.5]
    real = torch.cat([batch.c for step in range(6) for batch in trainer.real.micro_batches(8 * step)])
    assert real[:42].mean(dim=0).tolist() == [0.5, 0.5]  # an epoch: each of 21 once, each of 3 seven times
    info = load_generator(trainer.folder.path).info
    assert (info.balance, info.class_counts) == (1.0, (21, 3))
