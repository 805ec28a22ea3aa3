"""Training by the package's ops is training by the plain ones: zero insertion, weights per image, torch's gradients."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.ops import winograd
from stylegan_ada.training import RunFolder, Trainer

STEPS = 10


@pytest.fixture
def figures(dataset: ImageDataset, tiny_config: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """The figures of each of the first steps, path lengths and R1 in several of them: [steps, figures]."""

    def run() -> np.ndarray:
        config = tiny_config(gamma=1.0)
        config = dataclasses.replace(config, augment=dataclasses.replace(config.augment, ada_p=0.2))
        trainer = Trainer(config, dataset, RunFolder(tmp_path), torch.device("cpu"), print)
        rows = []
        for _ in range(STEPS):
            trainer.step()
            row = trainer.averages.take()
            rows.append([row.get(name, 0.0) for name in NAMES])
        return np.array(rows)

    return run


NAMES = ("loss_G", "loss_D", "loss_G_pl", "loss_D_r1", "path_length", "logits_real", "logits_fake")


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_first_steps_equal_those_of_plain_ops(
    algorithm: str, figures: Callable[..., Any], bench_module: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = algorithm == "winograd"
    monkeypatch.setattr(winograd, "pays", lambda n, height, width, *_: fits and height % 4 == width % 4 == 0)
    found = figures()
    with bench_module("plain_ops").plain_ops():
        expected = figures()
    assert (np.abs(expected).max(axis=0) > 1e-4).all()  # every figure tells something
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
