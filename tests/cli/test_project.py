"""What a projection finds and writes, and what it refuses."""

import csv
import json
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylegan_ada import load_generator
from stylegan_ada.checkpoint import read_generator, save_generator
from stylegan_ada.projection import projector
from stylegan_ada.projection.distance import ExtractorDistance
from stylegan_ada.projection.latents import digest, load_latents, render
from stylegan_ada.projection.tuning import load_deltas, tuned
from stylegan_ada.sampling import TrainedGenerator
from stylegan_ada.training import RunFolder


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "projections.csv", newline="") as file:
        return list(csv.DictReader(file))


def block_means(levels: np.ndarray) -> np.ndarray:
    """What the network of `pixels_file` gives of gray levels [16, 16], enlarged by Pillow, of unit length."""
    large = np.asarray(Image.fromarray(levels.astype(np.float32)).resize((224, 224), Image.Resampling.BICUBIC))
    means = large.reshape(4, 56, 4, 56).mean(axis=(1, 3)).ravel()
    return means / np.linalg.norm(means)


def test_what_is_written_of_each_image(
    command: Callable[..., Any], trained_run: Path, few: Path, quick: list[Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = command("project", trained_run, few, "--out", out, "--space", "w", *quick)
    assert result.code == 0, result
    rows = table(out)
    assert list(rows[0]) == ["file", "label", "perceptual", "psnr", "ssim", "covered"]
    assert [row["label"] for row in rows] == ["bright"] * 3 + ["dark"] * 3
    names = json.loads((out / "options.json").read_text())["images"]
    assert set(names) == {"00", "02", "04", "01", "03", "dark-04"}
    assert [row["file"] for row in rows] == list(names.values())
    generator = load_generator(trained_run)
    for row, (name, file) in zip(rows, names.items(), strict=True):
        target = np.asarray(Image.open(file)).astype(float)
        latents = load_latents(out / f"{name}.npz", generator)
        assert (latents.labels, latents.space, latents.generator) == ((row["label"],), "w", digest(generator))
        assert (latents.w == latents.w[:, :1]).all()
        found = render(generator, latents.w, latents.noise)[0, :, :, 0].astype(float)
        picture = np.asarray(Image.open(out / f"{name}.png"))
        assert picture.shape == (64, 3 * 64, 3)  # 16 pixels, enlarged four times
        shown = picture[::4, ::4, 0]
        assert np.array_equal(shown[:, :16], target)
        assert np.abs(shown[:, 16:32] - found).max() <= 1  # rendered in another batch
        difference = np.clip(128 + 2 * (shown[:, 16:32].astype(int) - target), 0, 255)
        assert np.array_equal(shown[:, 32:], difference)
        psnr = 10 * np.log10(255**2 / np.square(shown[:, 16:32] - target).mean())
        assert float(row["psnr"]) == pytest.approx(psnr, rel=1e-5)
        with torch.inference_mode():  # judged is the image before its levels are rounded and clamped
            levels = generator.network.synthesis(latents.w, latents.noise)[0, 0].numpy() * 127.5 + 127.5
        distance = np.square(block_means(target) - block_means(levels)).sum()
        assert float(row["perceptual"]) == pytest.approx(distance, rel=0.001)
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.height == 6 * 64
    summary = (out / "summary.txt").read_text()
    assert summary.strip() in result.out
    dark = [float(row["perceptual"]) for row in rows if row["label"] == "dark"]
    line = next(line.split() for line in summary.splitlines() if line.startswith("dark"))
    assert line[1] == "3"
    assert float(line[2]) == pytest.approx(statistics.median(dark), rel=1e-3)
    worst = max(rows, key=lambda row: float(row["perceptual"]) * (row["label"] == "dark"))
    assert line[4] == next(name for name, file in names.items() if file == worst["file"])
    assert "6 images projected, " in result.out
    assert "per minute" in result.out


def test_tuning_is_written_and_judged_before(
    command: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stylegan_ada.projection.coverage.MOST", 4)
    fine_tune, tuned_images = projector.fine_tune, []

    def counted(*arguments: ExtractorDistance | Tensor | TrainedGenerator, **options: int | None) -> dict[str, Tensor]:
        tuned_images.append(1)
        return fine_tune(*arguments, **options)

    monkeypatch.setattr(projector, "fine_tune", counted)
    out = tmp_path / "out"
    result = command("project", trained_run, few / "dark/01.png", "--out", out, "--tune", *quick, "--steps", 10)
    assert result.code == 0, result
    (row,) = table(out)
    assert row["label"] == "dark"  # of the folder in which the file lies
    generator = load_generator(trained_run)
    latents = load_latents(out / "01.npz", generator)
    better = tuned(generator, load_deltas(out / "01.safetensors", generator))
    shown = np.asarray(Image.open(out / "01.png"))[::4, ::4, 0]
    assert np.array_equal(render(better, latents.w, latents.noise)[0, :, :, 0], shown[:, 16:32])
    assert "before tuning" in result.out
    record = json.loads((out / ".records/01.json").read_text())
    assert record["untuned"] > record["perceptual"] == pytest.approx(float(row["perceptual"]), rel=1e-5)
    about = json.loads((out / "coverage.json").read_text())
    assert about["number"] == 4
    assert len(tuned_images) == 1  # and not the run's own
    limit = about["limit"]
    assert row["covered"] == ("yes" if record["untuned"] <= 1.01 * limit else "no")


def test_labels_are_given_searched_or_of_folders(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
) -> None:
    shutil.copy(few / "dark/01.png", tmp_path / "stray.png")
    options = ["--no-coverage", *quick]
    result = command("project", trained_run, few, tmp_path / "stray.png", "--out", tmp_path / "a", *options)
    assert "their folders are not named like a class, so the class is searched: 1 of" in result.out
    assert [row["label"] for row in table(tmp_path / "a")[:6]] == ["bright"] * 3 + ["dark"] * 3
    assert table(tmp_path / "a")[6]["label"] in ("bright", "dark")
    assert {row["covered"] for row in table(tmp_path / "a")} == {""}
    command("project", trained_run, few, "--out", tmp_path / "b", "--label", "dark", *options)
    assert [row["label"] for row in table(tmp_path / "b")] == ["dark"] * 6
    command("project", trained_run, few, "--out", tmp_path / "c", "--label", "search", *options)
    searched = {row["file"].rpartition("/few/")[2]: row["label"] for row in table(tmp_path / "c")}
    # the image of no folder is the first of class dark: it is searched alike, whatever else is projected
    assert searched["dark/01.png"] == table(tmp_path / "a")[6]["label"]
    line = fails("project", trained_run, few, "--out", tmp_path / "d", "--label", "drak", *options)
    assert "did you mean 'dark'?" in line
    assert not (tmp_path / "d").exists()


def test_what_cannot_be_read_is_named_and_skipped(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
) -> None:
    (few / "dark/broken.png").write_bytes(b"not a picture")
    Image.new("L", (8, 8)).save(few / "dark/small.png")
    Image.new("RGB", (40, 20), "red").save(few / "dark/large.png")
    options = ["--no-coverage", *quick]
    result = command("project", trained_run, few, tmp_path / "none.png", "--out", tmp_path / "out", *options)
    assert result.code == 0, result
    assert (
        "broken.png is skipped: not a PNG, JPEG, TIFF, WebP, BMP, GIF, JPEG 2000, PPM, AVIF, .npy or DICOM image"
        in result.err
    )
    assert "small.png is skipped: 8x8, smaller than the generator's 16x16" in result.err
    assert "none.png is skipped: No such file or directory" in result.err
    assert "resized or converted to 16x16, gray: 1 of 7" in result.out
    assert "warning: 3 images are left out" in result.err
    assert len(table(tmp_path / "out")) == 7
    shown = np.asarray(Image.open(tmp_path / "out/large.png"))
    assert (shown[:, :64] == 76).all()  # ITU-R BT.601: 0.299 of 255
    line = fails("project", trained_run, few / "dark/small.png", "--out", tmp_path / "no", *options)
    assert "none of the images can be projected" in line
    assert not (tmp_path / "no").exists()


def test_what_is_measured_of_the_run_is_kept(
    command: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "cache"))
    one = few / "dark/01.png"
    result = command("project", trained_run, one, "--out", tmp_path / "a", *quick)
    assert "no images of the run are held out" in result.out
    about = json.loads((tmp_path / "a/coverage.json").read_text())
    assert about["number"] == len(about["distances"]) == 24
    assert about["limit"] == max(about["distances"])
    assert about["kind"] == "training images"
    assert table(tmp_path / "a")[0]["covered"] == "yes"  # it is one of them
    (kept,) = (tmp_path / "cache/coverage").iterdir()
    changed = {**about, "limit": 0.0, "distances": [1e-9] * 24}
    kept.write_text(json.dumps(changed))
    command("project", trained_run, few, "--out", tmp_path / "b", *quick)
    assert {row["covered"] for row in table(tmp_path / "b")} == {"no"}
    summary = (tmp_path / "b/summary.txt").read_text()
    assert [line.split()[3] for line in summary.splitlines()[1:3]] == ["3", "3"]
    assert "not covered" in summary
    command("project", trained_run, one, "--out", tmp_path / "c", *quick, "--steps", 5)  # it was not for these options
    assert table(tmp_path / "c")[0]["covered"] == "yes"
    assert len(list((tmp_path / "cache/coverage").iterdir())) == 2


def test_a_generator_without_a_run_says_why_covered_is_empty(
    command: Callable[..., Any], trained_run: Path, few: Path, quick: list[Any], tmp_path: Path
) -> None:
    bare = tmp_path / "bare.safetensors"
    shutil.copy(RunFolder(trained_run).generator_file, bare)
    result = command("project", bare, few / "dark", "--out", tmp_path / "out", *quick)
    assert result.code == 0, result
    assert result.out.count("is a generator without a run") == 1
    assert {(row["label"], row["covered"]) for row in table(tmp_path / "out")} == {("dark", "")}
    assert not (tmp_path / "out/coverage.json").exists()


def test_without_labels(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
) -> None:
    from dataclasses import replace

    from stylegan_ada.networks import Generator

    _, info = read_generator(trained_run)
    network = replace(info.network, c_dim=0)
    path = tmp_path / "unlabelled.safetensors"
    save_generator(path, Generator(network), replace(info, network=network, classes=(), class_counts=()))
    result = command("project", path, few, "--out", tmp_path / "out", *quick)
    assert result.code == 0, result
    assert "searched" not in result.out
    assert {row["label"] for row in table(tmp_path / "out")} == {""}
    line = fails("project", path, few, "--out", tmp_path / "no", "--label", "dark", *quick)
    assert "trained without labels" in line


def test_only_what_is_in_the_mask_counts(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
) -> None:
    half = np.zeros((16, 16), np.uint8)
    half[:, :8] = 255
    Image.fromarray(half).save(tmp_path / "mask.png")
    original = np.asarray(Image.open(few / "dark/01.png"))
    spoiled = np.where(half > 0, original, 255 - original)
    (tmp_path / "spoiled/dark").mkdir(parents=True)
    Image.fromarray(spoiled).save(tmp_path / "spoiled/dark/01.png")
    options = ["--mask", tmp_path / "mask.png", "--no-coverage", *quick]
    for name, file in (("a", few / "dark/01.png"), ("b", tmp_path / "spoiled/dark/01.png")):
        assert command("project", trained_run, file, "--out", tmp_path / name, *options).code == 0
    latents = [(tmp_path / name / "01.npz").read_bytes() for name in ("a", "b")]
    assert latents[0] == latents[1]
    figures = [[row[name] for name in ("perceptual", "psnr", "ssim")] for out in "ab" for row in table(tmp_path / out)]
    assert figures[0][:2] == figures[1][:2]  # an SSIM's windows reach beyond the mask
    Image.new("L", (16, 16)).save(tmp_path / "black.png")
    options[1] = tmp_path / "black.png"
    assert "all black" in fails("project", trained_run, few, "--out", tmp_path / "no", *options)
    options[1] = tmp_path / "nowhere.png"
    assert "No such file" in fails("project", trained_run, few, "--out", tmp_path / "no", *options)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--space", "z"], "--space z: no such choice"),
        (["--steps", "0"], "--steps"),
        (["--batch", "0"], "--batch"),
        (["--distance", "vgh"], "did you mean 'vgg'?"),
        (["--distance", "net.onnx"], "gives no gradient"),
        (["--distance", "nowhere.pt"], "--distance nowhere.pt: cannot be read"),
        (["--data", "nowhere"], "there is no 'nowhere'"),
    ],
)
def test_bad_options(
    fails: Callable[..., Any],
    trained_run: Path,
    few: Path,
    quick: list[Any],
    tmp_path: Path,
    options: list[str],
    message: str,
) -> None:
    assert message in fails("project", trained_run, few, "--out", tmp_path / "out", *quick, *options)
    assert not (tmp_path / "out").exists()
