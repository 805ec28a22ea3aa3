"""Latents and directions: files, and what is made of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from stylegan_ada import UserError
from stylegan_ada.projection.directions import (
    class_direction,
    direction_rows,
    edit,
    find_directions,
    load_directions,
    named_direction,
    principal_directions,
    save_directions,
)
from stylegan_ada.projection.latent_sets import write_animation
from stylegan_ada.projection.latents import (
    Latents,
    digest,
    interpolate,
    interpolate_noise,
    layer_thirds,
    load_latents,
    mix,
    render,
    save_latents,
    vary,
)
from stylegan_ada.projection.starts import sample_w
from stylegan_ada.sampling import TrainedGenerator


@pytest.fixture
def latents(generator: TrainedGenerator) -> Latents:
    w = generator.network.broadcast(sample_w(generator, "dark", 3)).contiguous()
    noise = torch.randn(3, generator.network.synthesis.noise_size)
    return Latents(w, noise, ("dark", "bright", "dark"), "w+", digest(generator))


def test_a_file_of_latents(generator: TrainedGenerator, latents: Latents, tmp_path: Path) -> None:
    path = tmp_path / "latents.npz"
    save_latents(path, latents)
    again = load_latents(path, generator)
    assert torch.equal(again.w, latents.w)
    assert torch.equal(again.noise, latents.noise)
    assert (again.labels, again.space, again.generator) == (latents.labels, latents.space, latents.generator)
    with np.load(path, allow_pickle=False) as file:
        assert {name: file[name].shape for name in file} == {
            "w": latents.w.shape, "noise": latents.noise.shape, "labels": (3,), "space": (), "generator": (),
        }  # fmt: skip


def test_what_is_no_file_of_latents(generator: TrainedGenerator, latents: Latents, tmp_path: Path) -> None:
    path = tmp_path / "latents.npz"
    with pytest.raises(UserError, match="not a file of latents"):
        load_latents(path, generator)
    arrays = {"w": latents.w.numpy(), "noise": latents.noise.numpy(), "labels": np.array(["a"]), "space": "w"}
    np.savez(path, **arrays)
    with pytest.raises(UserError, match="generator"):
        load_latents(path, generator)
    np.savez(path, **arrays, generator=np.array([{}], dtype=object))
    with pytest.raises(UserError, match="not a file of latents"):
        load_latents(path, generator)
    np.savez(path, **(arrays | {"w": latents.w.numpy()[:, :2]}), generator="x")
    with pytest.raises(UserError, match="w is"):
        load_latents(path, generator)
    np.savez(path, **(arrays | {"w": latents.w.numpy()[:2]}), generator="x")
    with pytest.raises(UserError, match="2 w and 3 noise"):
        load_latents(path, generator)
    path.write_text("nothing")
    with pytest.raises(UserError, match="not a file of latents"):
        load_latents(path, generator)


def test_the_digest_is_the_weights(generator: TrainedGenerator, make_generator: Callable[..., Any]) -> None:
    assert digest(generator) == digest(make_generator())
    other = make_generator()
    other.network.synthesis.blocks[0].learned_input.data[0, 0, 0] += 1e-3
    assert digest(generator) != digest(other)


def test_render_is_what_sample_shows(generator: TrainedGenerator) -> None:
    seeds, labels = list(range(40)), ["dark"] * 40
    z, c = generator.z(seeds), generator.label_vectors(labels, 40)
    noise = generator._draws("sample/noise", seeds).normal(generator.network.synthesis.noise_size)
    w = generator.network.broadcast(generator.network.mapping(z, c))
    assert np.abs(render(generator, w, noise).astype(int) - generator.sample(seeds, labels)).max() <= 1


def test_mix_and_interpolate(latents: Latents) -> None:
    a, b = latents.w[:1], latents.w[1:2]
    mixed = mix(a, b, [0, 2])
    for layer in range(a.shape[1]):
        assert torch.equal(mixed[:, layer], (b if layer in (0, 2) else a)[:, layer])
    path = interpolate(a[0], b[0], 5)
    for frame in range(5):
        torch.testing.assert_close(path[frame], a[0] * (1 - frame / 4) + b[0] * frame / 4)


def test_neighbours(generator: TrainedGenerator, latents: Latents) -> None:
    w = latents.w[0]
    near, far = (vary(generator, w, strength, 6) for strength in (0.1, 0.5))
    assert near.shape == (6, *w.shape)
    torch.testing.assert_close((far - w) / 5, near - w)
    assert (near[0] - near[1]).abs().max() > 1e-3
    assert torch.equal(vary(generator, w, 0.1, 6), near)
    assert not torch.equal(vary(generator, w, 0.1, 6, seed=1), near)


def test_neighbours_of_a_class(generator: TrainedGenerator, latents: Latents) -> None:
    w = vary(generator, latents.w[0], 1, 200, label="dark")[:, 0].double().numpy()  # a quarter of all
    known = np.concatenate([sample_w(generator, name, 2000, seed=9).numpy() for name in ("bright", "dark")])
    classifier = LinearDiscriminantAnalysis().fit(known, np.arange(4000) >= 2000)
    assert classifier.predict(w).mean() > 0.9
    with pytest.raises(UserError, match="did you mean 'dark'"):
        vary(generator, latents.w[0], 1, 2, label="drak")


def test_noise_between_two_noises_is_as_strong() -> None:
    a, b = torch.randn(2, 4000)
    path = interpolate_noise(a, b, 3)
    torch.testing.assert_close(path[[0, 2]], torch.stack([a, b]))
    assert path[1].std().item() == pytest.approx(1, abs=0.05)  # a mean's would be 0.71
    torch.testing.assert_close(interpolate_noise(a, a, 3), a.expand(3, -1))


@pytest.mark.parametrize(
    ("num_ws", "thirds"), [(2, [(0, 0), (1, 1)]), (6, [(0, 1), (2, 3), (4, 5)]), (8, [(0, 2), (3, 5), (6, 7)])]
)
def test_thirds_of_the_layers(num_ws: int, thirds: list[tuple[int, int]]) -> None:
    assert layer_thirds(num_ws) == thirds


@pytest.mark.parametrize(("channels", "suffix"), [(1, "gif"), (3, "gif"), (1, "webp"), (3, "webp"), (4, "webp")])
def test_animations(tmp_path: Path, channels: int, suffix: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, channels), np.uint8)
    if channels == 4:
        images[..., 3] = 255
    path = tmp_path / f"a.{suffix}"
    write_animation(path, images)
    with Image.open(path) as animation:
        assert (animation.n_frames, animation.info["loop"]) == (4, 0)
        animation.seek(2)
        assert np.abs(np.asarray(animation.convert("RGB")).astype(int) - images[2][..., :3]).max() <= 1


def test_directions_without_and_with_classes(generator: TrainedGenerator, make_generator: Callable[..., Any]) -> None:
    assert find_directions(generator, 2).names == ("pc1", "pc2", "bright>dark")
    assert find_directions(generator, 1, "dark").names == ("pc1", "dark>bright")
    plain = make_generator(())
    assert find_directions(plain, 2).names == ("pc1", "pc2")
    with pytest.raises(UserError, match="without labels"):
        find_directions(plain, 2, "dark")
    with pytest.raises(UserError, match="choose from 'pc1'"):
        named_direction(plain, "dark>bright")


def test_rows_of_directions_start_from_the_center(generator: TrainedGenerator) -> None:
    found = find_directions(generator, 1)
    rows = direction_rows(generator, found, (-1, 0, 2))
    for row, center, vector, spread in zip(rows, found.centers, found.vectors, found.spreads, strict=True):
        w = torch.tensor(np.stack([center + amount * spread * vector for amount in (-1, 0, 2)]))
        with torch.no_grad():
            images = generator.network.synthesis(
                generator.network.broadcast(w), generator.network.synthesis.noise_constant[None]
            )
        expected = np.clip(np.rint(images.permute(0, 2, 3, 1).numpy() * 127.5 + 127.5), 0, 255)
        assert np.abs(row - expected).max() <= 1


def test_principal_directions_by_an_eigenvalue_decomposition(generator: TrainedGenerator) -> None:
    found = principal_directions(generator, 3, "dark")
    covariance = np.cov(sample_w(generator, "dark").double().numpy().T)
    values, vectors = np.linalg.eigh(covariance)
    for index in range(3):
        assert abs(found.vectors[index] @ vectors[:, -1 - index]) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(found.spreads, np.sqrt(values[::-1][:3]), rtol=1e-4)
    everywhere = principal_directions(generator, 1)
    assert everywhere.spreads[0] > 0
    with pytest.raises(UserError, match="from 1 to 8"):
        principal_directions(generator, 9)


def test_the_direction_from_one_class_to_another(generator: TrainedGenerator) -> None:
    found = class_direction(generator, "dark", "bright")
    assert found.names == ("dark>bright",)
    assert np.linalg.norm(found.vectors[0]) == pytest.approx(1, abs=1e-6)
    dark, bright = (
        sample_w(generator, name, seed=1).double().numpy() @ found.vectors[0] for name in ("dark", "bright")
    )
    threshold = (dark.mean() + bright.mean()) / 2
    assert (dark < threshold).mean() + (bright > threshold).mean() > 1.8
    with pytest.raises(UserError, match="from one class to another"):
        class_direction(generator, "dark", "dark")


def test_edit_and_a_file_of_directions(generator: TrainedGenerator, latents: Latents, tmp_path: Path) -> None:
    path = tmp_path / "directions.npz"
    directions = principal_directions(generator, 2)
    save_directions(path, directions)
    again = load_directions(path, 8)
    moved = edit(latents.w, again, "pc2", -1.5)
    expected = latents.w.numpy() - 1.5 * directions.spreads[1] * directions.vectors[1]
    np.testing.assert_allclose(moved.numpy(), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(UserError, match="did you mean 'pc"):
        edit(latents.w, again, "pc3", 1)
    with pytest.raises(UserError, match="takes"):
        load_directions(path, 16)
    path.write_text("nothing")
    with pytest.raises(UserError, match="not a file of directions"):
        load_directions(path, 8)
