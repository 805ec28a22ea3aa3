"""What latents in files are good for. Oracles: the networks themselves, NumPy, Pillow, scikit-learn."""

import copy
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from stylegan_ada import load_generator
from stylegan_ada.networks import Generator
from stylegan_ada.projection.latents import digest
from stylegan_ada.projection.tuning import save_deltas
from stylegan_ada.sampling import TrainedGenerator

LABELS = ["dark", "bright", "dark"]


@pytest.fixture(scope="module")
def generator(trained_run: Path) -> TrainedGenerator:
    return load_generator(trained_run)


@pytest.fixture(scope="module")
def arrays(generator: TrainedGenerator) -> dict[str, np.ndarray]:
    """Three latents of w+, as the file has them."""
    draw = torch.Generator().manual_seed(5)
    size = generator.info.network.z_dim
    with torch.no_grad():
        layers = [
            generator.network.mapping(torch.randn(3, size, generator=draw), generator.label_vectors(LABELS, 3))
            for _ in range(generator.network.num_ws)
        ]
    noise = torch.randn(3, generator.network.synthesis.noise_size, generator=draw)
    return {
        "w": torch.stack(layers, dim=1).numpy(), "noise": noise.numpy(), "labels": np.array(LABELS),
        "space": np.array("w+"), "generator": np.array(digest(generator)),
    }  # fmt: skip


@pytest.fixture
def file(arrays: dict[str, np.ndarray], tmp_path: Path) -> Path:
    path = tmp_path / "in" / "three.npz"
    path.parent.mkdir()
    np.savez(path, **arrays)
    return path


def images_of(network: Generator, w: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W] by the synthesis network, rounded by NumPy."""
    with torch.no_grad():
        images = network.synthesis(torch.as_tensor(w), torch.as_tensor(noise)).double().numpy()[:, 0]
    return np.clip(np.rint(images * 127.5 + 127.5), 0, 255).astype(int)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


def same(path: Path, image: np.ndarray) -> None:
    assert np.abs(pixels(path) - image).max() <= 1


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def test_images_of_latents(
    command: Callable[..., Any],
    trained_run: Path,
    generator: TrainedGenerator,
    arrays: dict[str, np.ndarray],
    file: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    result = command("generate", "images", trained_run, "--latents", file, "--out", out)
    assert (result.code, result.err) == (0, ""), result
    with open(out / "manifest.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["label"], row["seed"], row["psi"]) for row in rows] == [(label, "", "") for label in LABELS]
    for row, image in zip(rows, images_of(generator.network, arrays["w"], arrays["noise"]), strict=True):
        assert row["file"].startswith(row["label"] + "/")
        same(out / row["file"], image)
    assert pixels(out / "grid.png").shape[0] == 2 * 64


def test_a_tuning_beside_the_latents_or_named_is_used(
    command: Callable[..., Any],
    trained_run: Path,
    generator: TrainedGenerator,
    arrays: dict[str, np.ndarray],
    file: Path,
    tmp_path: Path,
) -> None:
    name = "blocks.0.to_rgb.bias"
    save_deltas(file.with_suffix(".safetensors"), {name: torch.tensor([0.25]).half()}, generator)
    network = copy.deepcopy(generator.network)
    dict(network.synthesis.named_parameters())[name].data += 0.25
    expected = images_of(network, arrays["w"], arrays["noise"])
    assert np.abs(expected - images_of(generator.network, arrays["w"], arrays["noise"])).max() > 5
    assert (
        "three.safetensors"
        in command("generate", "images", trained_run, "--latents", file, "--out", tmp_path / "a").err
    )
    same(tmp_path / "a" / "bright" / "latent000001.png", expected[1])
    other = file.with_name("other.safetensors")
    file.with_suffix(".safetensors").rename(other)
    command("generate", "images", trained_run, "--latents", file, "--out", tmp_path / "b", "--tuning", other)
    same(tmp_path / "b" / "bright" / "latent000001.png", expected[1])
    # what is made of a tuned latent keeps its tuning
    vary = ("generate", "vary", trained_run, file, "--strength", "0.1", "--count", 1, "--tuning", other)
    assert command(*vary, "--out", tmp_path / "c").code == 0
    command("generate", "images", trained_run, "--latents", tmp_path / "c" / "latents.npz", "--out", tmp_path / "d")
    same(tmp_path / "d" / "dark" / "latent000000.png", expected[0])


def test_mix(
    command: Callable[..., Any],
    trained_run: Path,
    generator: TrainedGenerator,
    arrays: dict[str, np.ndarray],
    file: Path,
    tmp_path: Path,
) -> None:
    out, w, last = tmp_path / "out", arrays["w"], generator.network.num_ws - 1
    chosen = ("--layers", "1-2", "--layers", f"0-{last}", "--index", 2, "--index-b", 1)
    assert command("generate", "mix", trained_run, file, file, "--out", out, *chosen).code == 0
    expected = w[2].copy()
    expected[1:3] = w[1, 1:3]
    found = read(out / "latents.npz")
    np.testing.assert_array_equal(found["w"], [w[2], w[1], expected, w[1]])
    np.testing.assert_array_equal(found["noise"], arrays["noise"][[2, 1, 2, 2]])
    images = images_of(generator.network, found["w"], found["noise"])
    for name, image in zip(("0000-a", "0001-b", "0002-layers1-2", f"0003-layers0-{last}"), images, strict=True):
        same(out / f"{name}.png", image)
    grid = Image.open(out / "grid.png")
    assert grid.height == 2 * 64
    cell = np.asarray(grid.convert("L")).astype(int)[64:, -128:-64][::4, ::4]
    assert np.abs(cell - images[3]).max() <= 1


def test_mix_without_layers_takes_each_third_once(
    command: Callable[..., Any], trained_run: Path, arrays: dict[str, np.ndarray], file: Path, tmp_path: Path
) -> None:
    assert command("generate", "mix", trained_run, file, file, "--out", tmp_path / "out", "--index-b", 1).code == 0
    found = read(tmp_path / "out" / "latents.npz")["w"][2:]
    assert len(found) == 3
    of_b = (found == arrays["w"][1]).all(axis=2)
    assert of_b.sum(axis=0).tolist() == [1] * of_b.shape[1]
    assert (np.diff(of_b.argmax(axis=0)) >= 0).all()


def test_interpolate(
    command: Callable[..., Any],
    trained_run: Path,
    generator: TrainedGenerator,
    arrays: dict[str, np.ndarray],
    file: Path,
    tmp_path: Path,
) -> None:
    w, noise = arrays["w"], arrays["noise"]
    ends = images_of(generator.network, w[:2], noise[:2])
    for kind in ("gif", "webp", "png"):
        out = tmp_path / kind
        options = ("--frames", 5, "--index-b", 1, "--format", kind, "--out", out)
        assert command("generate", "interpolate", trained_run, file, file, *options).code == 0
        same(out / "frame0000.png", ends[0])
        same(out / "frame0004.png", ends[1])
        assert (out / "grid.png").exists()
        if kind == "png":
            assert not list(out.glob("animation*"))
            continue
        with Image.open(out / f"animation.{kind}") as animation:
            assert animation.n_frames == 5
            for number in range(5):
                animation.seek(number)
                frame = np.asarray(animation.convert("L")).astype(int)
                assert np.abs(frame - pixels(out / f"frame{number:04d}.png")).max() <= 1
    found = read(tmp_path / "gif" / "latents.npz")
    np.testing.assert_allclose(found["w"][2], (w[0] + w[1]) / 2, rtol=1e-5, atol=1e-6)
    lengths = np.linalg.norm(found["noise"], axis=1)
    np.testing.assert_allclose(lengths, np.linspace(lengths[0], lengths[4], 5), rtol=1e-5)
    assert found["labels"].tolist() == ["dark"] * 3 + ["bright"] * 2


def test_vary_stays_in_the_class(
    command: Callable[..., Any],
    trained_run: Path,
    generator: TrainedGenerator,
    arrays: dict[str, np.ndarray],
    file: Path,
    tmp_path: Path,
) -> None:
    w, count = arrays["w"], 10
    for strength in (0, 0.5, 1):
        out = tmp_path / f"out{strength}"
        options = ("--strength", strength, "--count", count, "--index", 1, "--out", out)
        assert command("generate", "vary", trained_run, file, *options).code == 0
    same(tmp_path / "out0" / "0010-neighbour.png", pixels(tmp_path / "out0" / "0000-original.png"))
    none, half, full = (read(tmp_path / f"out{strength}" / "latents.npz")["w"] for strength in (0, 0.5, 1))
    np.testing.assert_array_equal(none, np.repeat(w[1:2], count + 1, axis=0))
    np.testing.assert_allclose(half[1:], (w[1] + full[1:]) / 2, rtol=1e-4, atol=1e-5)
    z = torch.randn(2000, generator.info.network.z_dim)
    names = ["bright", "dark"] * 1000
    with torch.no_grad():
        known = generator.network.mapping(z, generator.label_vectors(names, 2000)).numpy()
    classifier = LinearDiscriminantAnalysis().fit(known, names)
    assert classifier.score(known, names) > 0.95
    assert (classifier.predict(full[1:, 0]) == "bright").mean() >= 0.9
    with Image.open(tmp_path / "out0.5" / "grid.png") as grid:
        assert grid.height == 2 * 64


def test_edit(
    command: Callable[..., Any],
    trained_run: Path,
    generator: TrainedGenerator,
    arrays: dict[str, np.ndarray],
    file: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    amounts = ("--amount", 0, "--amount", "-2", "--amount", "1.5")
    assert (
        command("generate", "edit", trained_run, file, "--direction", "dark>bright", *amounts, "--out", out).code == 0
    )
    same(out / "0001-amount+0.png", pixels(out / "0000-original.png"))
    w = read(out / "latents.npz")["w"]
    steps = w - arrays["w"][0]
    np.testing.assert_allclose(steps[2] / -2, steps[3] / 1.5, atol=1e-5)
    for number, name in ((2, "0002-amount-2"), (3, "0003-amount+1.5")):
        same(out / f"{name}.png", images_of(generator.network, w[[number]], arrays["noise"][:1])[0])
    # sorted by amount: -2 first, 1.5 last
    row = pixels(out / "grid.png")[::4, :, 0]
    assert np.abs(row[:, -64::4] - pixels(out / "0003-amount+1.5.png")).max() <= 1
    assert np.abs(row[:, -256:-192:4] - pixels(out / "0002-amount-2.png")).max() <= 1


def test_latents_of_another_generator(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    trained_run: Path,
    arrays: dict[str, np.ndarray],
    file: Path,
    tmp_path: Path,
) -> None:
    np.savez(file, **(arrays | {"generator": np.array("0123456789abcdef")}))
    result = command("generate", "mix", trained_run, file, file, "--out", tmp_path / "out")
    assert result.code == 0
    assert result.err.startswith("warning: ")
    assert result.err.count("\n") == 1
    assert "0123456789abcdef" in result.err
    np.savez(file, **(arrays | {"w": arrays["w"][:, :2]}))
    assert "w is [3, 2," in fails("generate", "vary", trained_run, file, "--strength", "0.1", "--out", tmp_path / "no")
    np.savez(file, **(arrays | {"labels": np.array(["a", "b"])}))
    assert "labels is [2]" in fails("generate", "images", trained_run, "--latents", file, "--out", tmp_path / "no")
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["images", "--latents", "FILE", "--count", "3"], "--latents says which images"),
        (["images", "--latents", "FILE", "--psi", "0.5"], "--latents says which images"),
        (["images", "--count", "3", "--tuning", "FILE"], "--tuning: it goes with --latents"),
        (["images", "--latents", "FILE", "--tuning", "FILE"], "not a tuning"),
        (["mix", "FILE", "FILE", "--layers", "0-99"], "--layers 0-99: give A-B of the layers 0 to 5"),
        (["mix", "FILE", "FILE", "--layers", "3-1"], "--layers 3-1"),
        (["mix", "FILE", "FILE", "--index-b", "3"], "--index-b 3"),
        (["mix", "FILE", "nowhere.npz"], "not a file of latents"),
        (["interpolate", "FILE", "FILE", "--frames", "1"], "--frames"),
        (["interpolate", "FILE", "FILE", "--frames", "3", "--format", "gfi"], "did you mean 'gif'?"),
        (["vary", "FILE", "--strength", "2"], "--strength 2: give 0 to 1"),
        (["vary", "FILE", "--strength", "0.2", "--index", "-1"], "give 0 to 2"),
        (["edit", "FILE", "--amount", "1", "--direction", "pc99"], "did you mean 'pc9'?"),
        (["edit", "FILE", "--amount", "1", "--direction", "dark>brigth"], "did you mean 'bright'?"),
        (["edit", "FILE", "--amount", "nan", "--direction", "pc1"], "--amount"),
        (["edit", "FILE", "--amount", "1", "--direction", "pc1", "--directions", "FILE"], "not a file of directions"),
        (["mxi", "FILE", "FILE"], "mxi"),
    ],
)
def test_mistakes(
    fails: Callable[..., Any], trained_run: Path, file: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    name, *others = (str(file) if argument == "FILE" else argument for argument in arguments)
    assert message in fails("generate", name, trained_run, *others, "--out", tmp_path / "out")
    assert list(tmp_path.iterdir()) == [file.parent]


@pytest.mark.parametrize("name", ["images", "interpolate"])
def test_nothing_is_left_where_writing_fails(
    fails: Callable[..., Any], trained_run: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(self: Image.Image, path: Path, *arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    what = ("--latents", file) if name == "images" else (file, file, "--frames", 3)
    assert "No space left" in fails("generate", name, trained_run, *what, "--out", tmp_path / "out", code=1)
    assert list(tmp_path.iterdir()) == [file.parent]
