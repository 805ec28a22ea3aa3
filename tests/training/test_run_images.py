import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada import UserError
from stylegan_ada.checkpoint import GENERATOR_FILE, GeneratorInfo, read_generator, save_generator
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import ImageDataset, load_dataset
from stylegan_ada.training import RunFolder, Trainer
from stylegan_ada.training.run_images import load_other, run_images


@pytest.fixture
def run(tiny_config: Callable[..., Any], dataset: ImageDataset, tmp_path: Path) -> tuple[Path, Trainer]:
    """The folder of a run that holds out 6 of 24 images, and has not trained."""
    config = tiny_config()
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, holdout=0.25))
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.write_config(config)
    trainer = Trainer(config, dataset, folder, torch.device("cpu"), print)
    info = GeneratorInfo(network=config.network, classes=config.classes, class_counts=(9, 9), images_seen=8)
    save_generator(folder.path / GENERATOR_FILE, trainer.state.generator_ema, info)
    return folder.path, trainer


def test_its_own(run: tuple[Path, Trainer]) -> None:
    path, trainer = run
    real = run_images(path, None)
    np.testing.assert_array_equal(real.trained_on, trainer.members)
    np.testing.assert_array_equal(real.held_out, trainer.held_out)
    np.testing.assert_array_equal(real.reference, trainer.held_out)
    assert len(real.held_out) == 6


def test_its_own_at_another_place(run: tuple[Path, Trainer], image_folder: Path, tmp_path: Path) -> None:
    path, trainer = run
    shutil.copytree(image_folder, tmp_path / "moved")
    real = run_images(path, str(tmp_path / "moved"))
    np.testing.assert_array_equal(real.trained_on, trainer.members)
    np.testing.assert_array_equal(real.held_out, trainer.held_out)
    assert real.reference.tolist() == list(range(24))


def test_others(run: tuple[Path, Trainer], image_folder: Path, tmp_path: Path) -> None:
    """Of which it has seen none, brought to its size."""
    path, _ = run
    shutil.copytree(image_folder, tmp_path / "fewer")
    next((tmp_path / "fewer").rglob("*.png")).unlink()
    real = run_images(path, str(tmp_path / "fewer"))
    assert real.trained_on is None
    assert real.held_out is None
    assert len(real.reference) == len(real.dataset) == 23


def test_a_generator_without_a_run(run: tuple[Path, Trainer], image_folder: Path) -> None:
    """Counts as trained on what is named."""
    file = run[0] / GENERATOR_FILE
    with pytest.raises(UserError, match="not a run folder, say with `data` which images to compare with"):
        run_images(file, None)
    real = run_images(file, str(image_folder))
    assert real.trained_on.tolist() == list(range(24))
    assert real.held_out is None


def test_imported_weights(run: tuple[Path, Trainer], image_folder: Path) -> None:
    """What they have seen is not known, so that nothing can be said of copies."""
    file = run[0] / GENERATOR_FILE
    network, info = read_generator(file)
    save_generator(file, network, dataclasses.replace(info, images_seen=0))
    (run[0] / "config.json").unlink()
    real = run_images(file, str(image_folder))
    assert real.trained_on is None
    assert len(real.reference) == 24


def test_images_that_are_gone(run: tuple[Path, Trainer], image_folder: Path, tmp_path: Path) -> None:
    path, trainer = run
    gone = dataclasses.replace(trainer.config.data, data=str(tmp_path / "gone"))
    RunFolder(path).write_config(dataclasses.replace(trainer.config, data=gone))
    with pytest.raises(UserError, match="the run's images are no longer there, name their new place with `data`"):
        run_images(path, None)


def test_a_run_that_was_begun_before_copies_were_kept_together(run: tuple[Path, Trainer]) -> None:
    """Its config.json lacks the field, as those of old runs do."""
    path, trainer = run
    file = path / "config.json"
    config = json.loads(file.read_text())
    del config["data"]["copies_together"], config["data"]["groups"]
    file.write_text(json.dumps(config))
    assert RunFolder(path).read_config().data.copies_together is False
    np.testing.assert_array_equal(run_images(path, None).held_out, trainer.held_out)


def test_another_set_need_not_have_the_runs_columns(image_folder: Path, tmp_path: Path) -> None:
    columns = Preparation(file_column="image_id", label_column="dx")
    assert load_other(str(image_folder), columns, load_dataset).classes == ("bright", "dark")
    other = tmp_path / "other"
    shutil.copytree(image_folder, other)
    names = sorted(str(path.relative_to(other)) for path in other.rglob("*.png"))
    (other / "labels.csv").write_text(
        "file,label\n" + "".join(f"{name},x{index % 2}\n" for index, name in enumerate(names))
    )
    assert load_other(str(other), columns, load_dataset).classes == ("x0", "x1")
    (other / "labels.csv").write_text("no,columns\n")
    with pytest.raises(UserError, match="must start with the line 'file,label'"):
        load_other(str(other), Preparation(), load_dataset)


def test_another_set_need_not_have_the_runs_groups_and_splits(image_folder: Path) -> None:
    grouped = load_other(str(image_folder), Preparation(groups="folder:1"), load_dataset)
    assert set(grouped.groups) == {"bright", "dark"}
    assert load_other(str(image_folder), Preparation(groups="folder:2", split="train"), load_dataset).groups is None
