"""What is missing or misspelt is said before images are packed, which takes long of large sets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada import UserError, api, datasets
from stylegan_ada.utility.assess import Question, assess

CPU = torch.device("cpu")


def packed(*_: Any, **__: Any) -> None:
    raise AssertionError("images are packed first")


@pytest.fixture
def no_packing(trained_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "load_dataset", packed)


@pytest.mark.parametrize("features", ["no.onnx", "litte0"])
def test_networks_of_features(
    fails: Callable[..., Any], trained_run: Path, no_packing: None, image_folder: Path, tmp_path: Path, features: str
) -> None:
    dataset = ["generate", "dataset", trained_run, "--reject-copies", "--features", features, "--out", tmp_path / "a"]
    for command in (
        ["evaluate", trained_run, "--features", features],
        [*dataset, "--count", 1],
        [*dataset, "--balance-with", image_folder],
        ["utility", trained_run, "--features", features, "--out", tmp_path / "b"],
    ):
        assert f"--features {features}: " in fails(*command)
    with pytest.raises(UserError, match="`features`"):
        api.evaluation_of(trained_run, None, features, None, "cpu", packed)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--seed", "-1"], "seed -1"), (["--keep-best", "2"], "--keep-best 2"), (["--quality", "0"], "--quality 0")],
)
def test_a_set_that_cannot_be(
    fails: Callable[..., Any],
    trained_run: Path,
    no_packing: None,
    image_folder: Path,
    tmp_path: Path,
    options: list[str],
    message: str,
) -> None:
    command = ["generate", "dataset", trained_run, "--balance-with", image_folder, "--out", tmp_path / "a", *options]
    assert message in fails(*command)


def test_pipelines(fails: Callable[..., Any], trained_run: Path, no_packing: None, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("nothing: of albumentations")
    assert "a.yaml" in fails("utility", trained_run, "--augmentations", tmp_path / "a.yaml", "--out", tmp_path / "b")
    with pytest.raises(UserError, match=r"a\.yaml"):
        assess(
            trained_run, tmp_path / "b", Question(augmentations=tmp_path / "a.yaml"), device=CPU, load=packed, say=print
        )


@pytest.mark.parametrize("name", ["train", "augment-check"])
def test_augmentations_of_the_users_own(
    fails: Callable[..., Any], no_packing: None, image_folder: Path, tmp_path: Path, name: str
) -> None:
    options = ["--data", image_folder, "--size", 16, "--out", tmp_path / "run"]
    assert "no.yaml" in fails(name, *options, "--augment-extra", tmp_path / "no.yaml")


def test_no_size_in_python_is_that_of_the_images(image_folder: Path, tmp_path: Path) -> None:
    """As `--size` left out, which is the whole way to the images that come out."""
    made = api.train(
        str(image_folder), tmp_path / "run", size=None, kimg=0.016, batch=8, channel_base=64, channel_max=8,
        evaluate_kimg=0, device="cpu", say=[].append,
    )  # fmt: skip
    assert made.image_shape == (1, 16, 16)
    assert made.sample([0]).shape == (1, 16, 16, 1)
    assert np.isfinite(json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])["loss_G"])
