"""A short run on bright discs whose masks are known exactly: what it learned, and whether it helps."""

import csv
import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_ada import UserError, load_generator, train
from stylegan_ada.checkpoint import GENERATOR_FILE, GeneratorInfo, save_generator
from stylegan_ada.classifiers import small_cnn
from stylegan_ada.config import AugmentConfig, DataConfig, NetworkConfig, RunConfig, TrainingConfig
from stylegan_ada.config.masks import parse_kinds
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.metrics.masks import mask_figures, mask_figures_or_why_not
from stylegan_ada.networks import Generator
from stylegan_ada.projection.latents import Latents, digest, save_latents
from stylegan_ada.training import RunFolder
from stylegan_ada.training.run_images import load_other, run_images

SIDE = 8


def write_discs(folder: Path, count: int) -> Path:
    """Each of four classes has its disc in another quarter."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    for index in range(count):
        radius, label = rng.uniform(1.6, 2.6), index % 4
        left, top = (2.6, 5.4)[label % 2] + rng.uniform(-0.4, 0.4), (2.6, 5.4)[label // 2] + rng.uniform(-0.4, 0.4)
        disc = (x - left) ** 2 + (y - top) ** 2 <= radius**2
        image = np.clip(rng.normal(60, 10, (SIDE, SIDE)) + 120 * disc, 0, 255).astype(np.uint8)
        for name, pixels in (("images", image), ("masks", disc.astype(np.uint8) * 255)):
            path = folder / name / "abcd"[label] / f"{index:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on three quarters of 300 pairs."""
    folder = write_discs(tmp_path_factory.mktemp("discs") / "pairs", 300)
    train(
        folder,
        folder.parent / "run",
        masks="auto",
        holdout=0.25,
        kimg=7,
        batch=16,
        channel_base=256,
        channel_max=16,
        gamma=0.02,
        ema_kimg=0.5,
        augment="none",
        evaluate_kimg=0,
        device="cpu",
    )
    return folder.parent / "run"


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_cnn, "FEWEST_STEPS", 50)
    monkeypatch.setattr(small_cnn, "MOST_STEPS", 50)


def test_masks_fit_their_images_as_real_ones_do(run: Path) -> None:
    """A U-Net of real pairs finds what generated masks mark nearly as well as what real ones do."""
    generator = load_generator(run)
    found = mask_figures(generator, run_images(run, None), 200, torch.device("cpu"))
    (kind,) = found.kinds
    assert found.unseen
    assert kind.iou_real > 0.95
    assert kind.iou_generated > kind.iou_real - 0.1
    assert kind.generated.images > 0.95
    assert kind.generated.area == pytest.approx(kind.real.area, rel=0.5)
    # the masks of other images do not
    images, masks = generator.sample_pairs(range(200))
    bright = images[:, :, :, 0] > 120
    own, others = masks[:, :, :, 0] >= 128, np.roll(masks[:, :, :, 0], 1, axis=0) >= 128
    assert (bright & own).sum() / (bright | own).sum() > 0.8
    assert (bright & others).sum() / (bright | others).sum() < 0.6


def test_the_run_knows_its_masks(run: Path, command: Callable[..., Any]) -> None:
    config = RunFolder(run).read_config()
    assert config.mask_kinds == ("mask",)
    assert config.network.mask_channels == 1
    assert "masks          mask" in command("info", run).out
    picture = Image.open(next(run.glob("samples-*.png")))
    assert (213, 94, 0) in {color for _, color in picture.getcolors(2**24)}


def test_it_goes_on_where_the_masks_are_now(run: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    """Masks may have moved, but not changed."""
    shutil.copytree(run, tmp_path / "run")
    data = run.parent / "pairs"
    options = json.loads((tmp_path / "run" / "options.json").read_text())
    assert options["masks"] == "auto"
    given = {name: value for name, value in options.items() if value not in (None, False)}
    words = [
        word
        for name, value in given.items()
        if name not in ("data", "kimg")
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    moved = tmp_path / "pairs"
    shutil.copytree(data, moved)
    again = command("train", "--data", moved, "--out", tmp_path / "run", "--kimg", 7.1, *words)
    assert again.code == 0, again.err
    place = words.index("--masks")
    without = words[:place] + words[place + 2 :]
    refused = command("train", "--data", moved, "--out", tmp_path / "run", "--kimg", 7.2, *without)
    assert refused.code == 2
    assert "--masks not given: this run began with masks of 'mask', and now its images come without" in refused.err
    changed = Image.fromarray(np.zeros((SIDE, SIDE), np.uint8))
    changed.save(moved / "masks" / "a" / "000.png")
    refused = command("train", "--data", moved, "--out", tmp_path / "run", "--kimg", 7.2, *words)
    assert refused.code == 2
    assert "the images have changed" in refused.err


def test_a_u_net_is_asked_whether_they_help(
    run: Path, tmp_path: Path, command: Callable[..., Any], few_steps: None
) -> None:
    options = ("--task", "segmentation", "--ratios", "1", "--arms", "real,synthetic,alone", "--seeds", 5)
    found = command("utility", run, *options, "--out", tmp_path / "out")
    assert found.code == 0, found.err
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    arms = {one["arm"]: one for one in results["arms"]}
    assert set(arms) == {"real", "real + 1 synthetic", "1 synthetic"}
    assert arms["real"]["dice"] > 0.9
    assert arms["1 synthetic"]["dice"] > 0.6  # it learned from generated pairs alone
    assert arms["real"]["gain"] is None
    assert results["verdict"] in ("gain", "no gain shown", "harm")
    assert found.out.strip().splitlines()[-2] == f"{results['sentence']}."
    page = (tmp_path / "out" / "report.html").read_text()
    assert results["sentence"] in page
    again = command("utility", run, *options, "--out", tmp_path / "out")
    assert again.code == 0
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == results
    for wrong in (("--balance",), ("--classifier", "cnn"), ("--fractions", "0.5"), ("--arms", "real,filtered")):
        refused = command("utility", run, "--task", "segmentation", *wrong, "--out", tmp_path / "wrong")
        assert refused.code == 2
        assert len(refused.err.strip().splitlines()) == 1
    assert not (tmp_path / "wrong").exists()


def test_pairs_are_written_and_measured(run: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    assert command("generate", "images", run, "--count", 3, "--out", tmp_path / "images").code == 0
    with open(tmp_path / "images" / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    files = {f"images/{row['label']}/seed{int(row['seed']):010d}.png" for row in rows}
    assert {row["file"] for row in rows} == files
    masks = {path.relative_to(tmp_path / "images").as_posix() for path in (tmp_path / "images").rglob("masks/*/*.png")}
    assert masks == {file.replace("images/", "masks/", 1) for file in files}


def test_another_set_has_its_own_masks_or_none(tmp_path: Path) -> None:
    """Where a run's masks lie in a folder that it named, this holds none of another set's, though names are alike."""
    write_discs(tmp_path / "own", 24)
    masks = tmp_path / "own" / "masks"
    prepared = Preparation(masks=str(masks), use_labels=False)
    assert load_dataset(str(tmp_path / "own" / "images"), prepared).masks is not None
    config = RunConfig(
        data=DataConfig(data=str(tmp_path / "own" / "images"), masks=str(masks), no_labels=True),
        network=NetworkConfig(channels=1, height=SIDE, width=SIDE, mask_channels=1),
        augment=AugmentConfig(),
        training=TrainingConfig(kimg=1, batch=16),
        classes=(),
        fingerprint=load_dataset(str(tmp_path / "own" / "images"), prepared).fingerprint,
        mask_kinds=("mask",),
    )
    run = tmp_path / "run"
    run.mkdir()
    RunFolder(run).write_config(config)
    info = GeneratorInfo(network=config.network, classes=(), class_counts=(), images_seen=8, mask_kinds=("mask",))
    save_generator(run / GENERATOR_FILE, Generator(config.network), info)
    shutil.copytree(tmp_path / "own" / "images", tmp_path / "moved")
    assert run_images(run, str(tmp_path / "moved")).dataset.masks is not None  # the very images of the run
    write_discs(tmp_path / "other", 28)
    shutil.rmtree(tmp_path / "other" / "masks")
    assert run_images(run, str(tmp_path / "other")).dataset.masks is None
    (tmp_path / "other" / "images" / "a" / "000_mask.png").write_bytes((masks / "a" / "000.png").read_bytes())
    assert run_images(run, str(tmp_path / "other")).dataset.masks is None  # masks of some alone
    shutil.copytree(masks, tmp_path / "third" / "masks")
    shutil.copytree(tmp_path / "own" / "images", tmp_path / "third" / "images")
    for path in (tmp_path / "third" / "masks").rglob("*.png"):
        Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    third = run_images(run, str(tmp_path / "third")).dataset
    assert third.masks is not None
    assert (third.masks[:] > 127).mean() > 0.5  # its own, which are the run's turned round


def test_a_set_need_not_have_every_kind(tmp_path: Path) -> None:
    for name, kinds in (("own", (1, 2)), ("test", (1,))):
        for index in range(4):
            for folder, value in (("images", 10 * index + 5), ("masks", kinds[index % len(kinds)])):
                (tmp_path / name / folder).mkdir(parents=True, exist_ok=True)
                pixels = np.zeros((SIDE, SIDE), np.uint8)
                pixels[index:, index:] = value
                Image.fromarray(pixels).save(tmp_path / name / folder / f"{index}.png")
    asked = Preparation(masks="auto", use_labels=False, mask_kinds=parse_kinds("crack=1,dent=2"))
    with pytest.raises(UserError, match="dent=2: no mask has that value"):
        load_dataset(str(tmp_path / "test"), asked)
    found = load_other(str(tmp_path / "test"), asked, load_dataset)
    assert found.mask_kinds == ("crack", "dent")
    assert not found.masks[:, 1].any()


@pytest.mark.parametrize("groups", [2, 3])
def test_few_groups_are_a_reason_and_no_crash(run: Path, groups: int) -> None:
    real = run_images(run, None)
    count = len(real.dataset)
    own = dataclasses.replace(real.dataset, groups=tuple(f"g{index % groups}" for index in range(count)))
    real = dataclasses.replace(real, dataset=own, held_out=None)
    found, reason = mask_figures_or_why_not(load_generator(run), real, 20, torch.device("cpu"))
    assert (found is None) == bool(reason)
    if groups == 2:
        assert "too few groups" in reason


def test_latents_give_their_masks(run: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    """A latent moved by nothing has the mask that its seed has, as a file and on the sheet."""
    generator = load_generator(run)
    labels = ["a", "d", "b"]
    w, noise, _ = generator.latents(range(3), labels)
    latents = Latents(
        w=w,
        noise=noise,
        labels=tuple(labels),
        space="w",
        generator=digest(generator),
    )
    save_latents(tmp_path / "latents.npz", latents)
    expected = generator.sample_pairs(range(3), labels)[1][..., 0] >= 128
    assert (
        command("generate", "images", run, "--latents", tmp_path / "latents.npz", "--out", tmp_path / "images").code
        == 0
    )
    for index, label in enumerate(labels):
        for kind in ("images", "masks"):
            found = np.asarray(Image.open(tmp_path / "images" / kind / label / f"latent{index:06d}.png"))
            assert found.shape == (SIDE, SIDE)
        assert ((found > 0) == expected[index]).all()
    options = ("--direction", "pc1", "--amount", 0, "--amount", 2, "--index", 1)
    assert command("generate", "edit", run, tmp_path / "latents.npz", *options, "--out", tmp_path / "edited").code == 0
    moved = {path.stem: np.asarray(Image.open(path)) > 0 for path in (tmp_path / "edited" / "masks").iterdir()}
    assert set(moved) == {"0000-original", "0001-amount+0", "0002-amount+2"}
    assert (moved["0001-amount+0"] == expected[1]).all()
    assert (213, 94, 0) in {color for _, color in Image.open(tmp_path / "edited" / "grid.png").getcolors(2**24)}


def test_the_report_tells_of_masks(run: Path, tmp_path: Path, command: Callable[..., Any], few_steps: None) -> None:
    found = command("report", run, "--count", 100, "--out", tmp_path / "report.html")
    assert found.code == 0, found.err
    page = (tmp_path / "report.html").read_text()
    assert "<h2>Masks</h2>" in page
    assert "IoU of a U-Net" in page
    assert "the edges of what masks mark (mask) are coloured" in page
    evaluated = command("evaluate", run, "--count", 100)
    for line in evaluated.out.splitlines():
        if line.startswith("  IoU of a U-Net"):
            made, real = line.split()[-2:]
            assert f'<td class="number">{made}</td><td class="number">{real}</td>' in page


def test_without_masks_segmentation_is_refused(attribute_generator_file: Path, tmp_path: Path, command: Any) -> None:
    refused = command("utility", attribute_generator_file, "--task", "segmentation", "--out", tmp_path / "out")
    assert refused.code == 2
    assert "makes no masks" in refused.err


def test_images_alone_can_be_named_for_a_run_with_masks(run: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    for path in sorted((run.parent / "pairs" / "images").rglob("*.png"))[:20]:
        (tmp_path / "plain" / path.name).write_bytes(path.read_bytes())
    found = run_images(run, str(tmp_path / "plain"))
    assert found.dataset.masks is None
    with pytest.raises(UserError, match="have no masks of the generator's kinds"):
        mask_figures(load_generator(run), found, 20, torch.device("cpu"))
