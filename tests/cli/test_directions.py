"""`stylegan-ada directions`. Oracles: NumPy's eigenvalues, a classifier of scikit-learn, Pillow."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression

from stylegan_ada import load_generator


@pytest.fixture(scope="module")
def sampled(trained_run: Path) -> tuple[np.ndarray, list[str]]:
    """w [4000, w_dim] and their classes, in the training set's shares (which are equal)."""
    generator = load_generator(trained_run)
    names = ["bright", "dark"] * 2000
    z = torch.randn(4000, generator.info.network.z_dim, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        return generator.network.mapping(z, generator.label_vectors(names, 4000)).double().numpy(), names


def test_the_file_the_words_and_the_picture(
    command: Callable[..., Any], trained_run: Path, sampled: tuple[np.ndarray, list[str]], tmp_path: Path
) -> None:
    out = tmp_path / "d.npz"
    result = command("directions", trained_run, "--out", out, "--count", 3)
    assert result.code == 0, result
    with np.load(out) as file:
        found = dict(file)
    assert found["names"].tolist() == ["pc1", "pc2", "pc3", "bright>dark"]
    w, _ = sampled
    variances = np.linalg.eigvalsh(np.cov(w.T))[::-1]
    np.testing.assert_allclose(found["spreads"][:3], np.sqrt(variances[:3]), rtol=0.1)
    np.testing.assert_allclose(found["shares"][:3], variances[:3] / variances.sum(), rtol=0.2)
    along = (w @ found["vectors"][3]).var()
    np.testing.assert_allclose(found["shares"][3], along / variances.sum(), rtol=0.2)
    np.testing.assert_allclose(found["spreads"][3], np.sqrt(along), rtol=0.1)
    np.testing.assert_allclose(found["centers"], [w.mean(axis=0)] * 4, atol=0.2 * np.sqrt(variances.sum()))
    lines = result.out.splitlines()
    for name, spread, share, line in zip(found["names"], found["spreads"], found["shares"], lines[1:5], strict=True):
        assert line.split() == [name, f"{spread:.3f}", f"{share:.1%}"]
    with Image.open(tmp_path / "d.png") as picture:
        assert picture.height == 4 * 64
        assert picture.width > 5 * 64


def test_a_class_direction_moves_a_classifier_from_one_class_to_the_other(
    command: Callable[..., Any], trained_run: Path, sampled: tuple[np.ndarray, list[str]], tmp_path: Path
) -> None:
    out = tmp_path / "d.npz"
    assert command("directions", trained_run, "--out", out, "--count", 1, "--from", "dark", "--to", "bright").code == 0
    w, names = sampled
    classifier = LogisticRegression(max_iter=1000).fit(w / w.std(), np.array(names) == "bright")
    start = w[1]  # a dark one
    noise = np.zeros((1, load_generator(trained_run).network.synthesis.noise_size), np.float32)
    layers = load_generator(trained_run).network.num_ws
    latents = tmp_path / "one.npz"
    np.savez(
        latents, w=np.repeat(start[None, None], layers, axis=1).astype(np.float32), noise=noise,
        labels=np.array(["dark"]), space="w", generator="x",
    )  # fmt: skip
    amounts = [option for amount in (-1, 1, 2, 4) for option in ("--amount", amount)]
    edit = ("--direction", "dark>bright", "--directions", out, *amounts, "--out", tmp_path / "edit")
    assert command("generate", "edit", trained_run, latents, *edit).code == 0
    with np.load(tmp_path / "edit" / "latents.npz") as file:
        moved = file["w"]
    scores = classifier.decision_function(moved[[1, 0, 2, 3, 4], 0] / w.std())
    assert (np.diff(scores) > 0).all()
    assert scores[1] < 0 < scores[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "drak"], "did you mean 'dark'?"),
        (["--from", "dark", "--to", "dark"], "--from dark, --to dark: a direction leads from one class to another"),
        (["--count", "0"], "0 directions: give from 1"),
    ],
)
def test_mistakes(
    fails: Callable[..., Any], trained_run: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    assert message in fails("directions", trained_run, "--out", tmp_path / "d.npz", *options)
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_there_stay(fails: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    assert "ends in .npz" in fails("directions", trained_run, "--out", tmp_path / "d.png")
    (tmp_path / "d.png").write_text("mine")
    assert "d.png: it exists already" in fails("directions", trained_run, "--out", tmp_path / "d.npz")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_a_number_beyond_what_was_seen_is_said(
    command: Callable[..., Any], attribute_generator_file: Path, tmp_path: Path
) -> None:
    ends = ("--from", "degree=0", "--to", "degree=3")
    result = command("directions", attribute_generator_file, "--out", tmp_path / "d.npz", "--count", 2, *ends)
    assert result.code == 0, result
    assert result.err == "warning: --to degree=3: training saw 0 to 1, 1 is taken\n"
