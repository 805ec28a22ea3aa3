"""`stylegan_ada.project_folder`: what a program gets of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_ada import UserError, load_generator, project_folder
from stylegan_ada.checkpoint import save_generator
from stylegan_ada.projection import image_files
from stylegan_ada.projection.latents import load_latents


@pytest.fixture
def file(generator: Any, tmp_path: Path) -> Any:
    path = tmp_path / "generator.safetensors"
    save_generator(path, generator.network, generator.info)
    return path


@pytest.fixture
def images(tmp_path: Path) -> Any:
    for name, levels in (("bright", 200), ("dark", 40)):
        (tmp_path / "images" / name).mkdir(parents=True)
        Image.new("L", (16, 16), levels).save(tmp_path / "images" / name / f"{name}1.png")
    return tmp_path / "images"


@pytest.fixture
def quick(pixels: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(pixels, "identity", "pixels", raising=False)
    monkeypatch.setattr(image_files, "make_distance", lambda name, device: pixels)
    return {"steps": 2, "candidates": 2, "device": "cpu"}


def test_records_come_back_and_lines_are_said(file: Any, images: Any, quick: list[Any], tmp_path: Path) -> None:
    said, out = [], tmp_path / "out"
    records = project_folder(file, images, out, say=said.append, **quick)
    assert {name: record.label for name, record in records.items()} == {"bright1": "bright", "dark1": "dark"}
    assert said[0].startswith("the column covered is left empty: ")
    assert said[-1] == f"2 images, projections.csv, sheet.png and summary.txt are in {out}"
    for name, record in records.items():
        latents = load_latents(out / f"{name}.npz", load_generator(file))
        with torch.inference_mode():
            levels = load_generator(file).network.synthesis(latents.w, latents.noise)[0, 0].numpy() * 127.5 + 127.5
        target = np.asarray(Image.open(record.file)).astype(float)
        error = np.square(levels.clip(0, 255).round() - target).mean()
        assert record.psnr == pytest.approx(10 * np.log10(255**2 / error), rel=1e-3)
    # again: nothing is left to do
    assert project_folder(str(file), [images], str(out), say=lambda line: None, **quick) == records


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "`batch` 0: give 1 or more"),
        ({"steps": 0}, "`steps` 0: give 1 or more"),
        ({"candidates": 0}, "`candidates` 0: give 1 or more"),
        ({"seed": -1}, "`seed` -1: give 0 or more"),
        ({"space": "z"}, "`space` z: no such choice"),
        ({"label": "drak"}, "`label` drak: no such class, did you mean 'dark'?"),
        ({"mask": "nowhere.png"}, "`mask` nowhere.png: No such file"),
    ],
)
def test_mistakes_name_parameters(
    file: Any,
    images: Any,
    quick: list[Any],
    tmp_path: Path,
    options: Callable[..., Any] | dict[str, Any] | list[Any],
    message: Any,
) -> None:
    with pytest.raises(UserError) as caught:
        project_folder(file, images, tmp_path / "out", **quick | options)
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_what_a_generator_marks_comes_with_the_image(
    mask_generator_file: Path, quick: list[Any], tmp_path: Path
) -> None:
    """The search sees the image alone: the mask is that of the latent it found."""
    (tmp_path / "images").mkdir()
    generator = load_generator(mask_generator_file)
    Image.fromarray(generator.sample([5], ["a"])[0, :, :, 0]).save(tmp_path / "images" / "x.png")
    out = tmp_path / "out"
    project_folder(mask_generator_file, tmp_path / "images", out, label="a", say=lambda line: None, **quick)
    latents = load_latents(out / "x.npz", generator)
    with torch.inference_mode():
        whole = generator.network.synthesis(latents.w, latents.noise)[0, 1:].double().numpy()
    expected = np.where(whole.max(axis=0) > 0, whole.argmax(axis=0) + 1, 0)
    mask = np.asarray(Image.open(out / "masks" / "x.png"))
    assert (mask != expected).mean() < 0.02
    (out / "masks" / "x.png").unlink()
    project_folder(mask_generator_file, tmp_path / "images", out, label="a", say=lambda line: None, **quick)
    assert np.array_equal(np.asarray(Image.open(out / "masks" / "x.png")), mask)
