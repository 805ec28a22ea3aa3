"""Runs by options, as from a notebook."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada import UserError
from stylegan_ada.config.network import block_shapes
from stylegan_ada.config.options import TrainOptions
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import ImageDataset, load_dataset
from stylegan_ada.training import RunFolder, Trainer, train
from stylegan_ada.training.run_images import run_images
from stylegan_ada.training.start import configure

CPU = torch.device("cpu")


@pytest.fixture
def options(image_folder: Path) -> Callable[..., Any]:
    """A run of four steps, of seconds."""

    def make(**other: float | str) -> TrainOptions:
        small = {"size": "16", "batch": 8, "channel_base": 64, "channel_max": 8, "precision": "fp32", "kimg": 0.032}
        return TrainOptions(**{"data": str(image_folder), "evaluate_kimg": 0, **small, **other})

    return make


def test_a_run_stopped_and_gone_on_with(options: Callable[..., Any], tmp_path: Path) -> None:
    folder, lines = RunFolder(tmp_path / "run"), []
    options = options(snapshot_kimg=0.016)

    def saved() -> bool:
        """Asked before a step's own checkpoint is written: True from the step after that on."""
        return bool(folder.checkpoints())

    stopped = train(options, folder, CPU, lines.append, saved)
    assert not stopped.finished
    assert stopped.kimg == stopped.trainer.state.images_seen / 1000 == 0.024
    assert not any(line.startswith("finished") for line in lines)
    lines.clear()
    ended = train(options, folder, CPU, lines.append)
    assert ended.finished
    assert ended.kimg == 0.032
    assert any(line.startswith("resuming") for line in lines)
    assert lines[-1].startswith("finished at 0.0 kimg: samples, curves.png and generator.safetensors are in ")
    lines.clear()
    assert train(options, folder, CPU, lines.append).finished
    with pytest.raises(UserError, match=r"^`seed`: the run in .* began without it; use a new `out`"):
        train(dataclasses.replace(options, seed=3), folder, CPU, lines.append)
    with pytest.raises(UserError, match=r"^`preset`: the run in .* began with auto;"):
        train(dataclasses.replace(options, preset="demo"), folder, CPU, lines.append)


def test_the_whole_path_is_kept(
    options: Callable[..., Any], image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a run goes on, and is judged, from any folder."""
    monkeypatch.chdir(image_folder.parent)
    folder = RunFolder(tmp_path / "run")
    train(options(data=image_folder.name, kimg=0.008), folder, CPU, print)
    assert json.loads((folder.path / "options.json").read_text())["data"] == str(image_folder)
    monkeypatch.chdir(tmp_path)
    assert folder.read_config().data.data == str(image_folder)
    assert len(run_images(folder.path, None).reference) == 24


def test_a_folder_among_the_images(options: Callable[..., Any], image_folder: Path) -> None:
    with pytest.raises(UserError, match=r"run: it lies inside `data`, where its pictures would count"):
        train(options(), RunFolder(image_folder / "run"), CPU, print)
    assert not (image_folder / "run").exists()


def test_reasons_and_how_images_are_loaded(options: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    lines, asked = [], []

    def load(source: str, preparation: Preparation, **how: Callable[..., Any]) -> ImageDataset:
        asked.append((source, preparation, how))
        return load_dataset(source, preparation, **how)

    config, dataset, _ = configure(
        options(batch=7, no_labels=True, fit="stretch"), RunFolder(tmp_path / "run"), CPU, lines.append, load
    )
    expected = Preparation(size=(16, 16), fit="stretch", use_labels=False)
    assert asked == [(str(image_folder), expected, {"check_shape": block_shapes})]
    assert config.network.c_dim == dataset.c_dim == 0
    assert lines[0].startswith("`gamma` ")  # what was given needs no reason
    assert lines[-1].startswith("warning: `batch` 7 has no groups for minibatch statistics, give")
    assert not (tmp_path / "run").exists()


def test_a_run_without_a_checkpoint_begins_anew_and_says_so(options: Callable[..., Any], tmp_path: Path) -> None:
    lines: list[str] = []
    folder = RunFolder(tmp_path / "run")
    config, _, _ = configure(options(), folder, CPU, lines.append)
    said = f"{folder.path} has no checkpoint yet: the run begins anew"
    assert said not in lines
    folder.path.mkdir()
    folder.write_config(config)  # as a run that is killed before its first checkpoint leaves it
    again, _, _ = configure(options(batch=16), folder, CPU, lines.append)
    assert said in lines
    assert again.training.batch == 16


def test_a_batch_that_does_not_divide(
    options: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UserError, match=r"^`batch` 8: it does not divide among 3 processes"):
        configure(options(), RunFolder(tmp_path / "run"), CPU, print)


def test_errors_that_are_not_of_memory_come_through(
    options: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken(self: Trainer) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(Trainer, "step", broken)
    with pytest.raises(RuntimeError, match=r"^shapes differ$"):
        train(options(), RunFolder(tmp_path / "run"), CPU, print)


def test_a_run_from_before_there_were_splits_keeps_its_classes(
    options: Callable[..., Any], image_folder: Path, tmp_path: Path
) -> None:
    """Folders train and test were classes then."""
    tree = tmp_path / "tree"
    for name, label in zip(("train", "test"), sorted(path.name for path in image_folder.iterdir()), strict=False):
        shutil.copytree(image_folder / label, tree / name)
    folder = RunFolder(tmp_path / "run")
    train(options(data=str(tree), split="none", kimg=0.008), folder, CPU, print)
    for file in ("config.json", "options.json"):
        path = folder.path / file
        content = json.loads(path.read_text())
        del (content["data"] if file == "config.json" else content)["split"]
        path.write_text(json.dumps(content))
    train(options(data=str(tree), kimg=0.016), folder, CPU, print)
    assert folder.read_config().classes == ("test", "train")
    assert len(run_images(folder.path, None).reference) == len(run_images(folder.path, str(tree)).reference)
