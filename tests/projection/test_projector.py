"""Finding images again, and the terms of the search against their definitions in plain loops."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from stylegan_ada import UserError, project
from stylegan_ada.projection import Projection, search
from stylegan_ada.projection.distance import Distance
from stylegan_ada.projection.latents import render
from stylegan_ada.projection.noise import noise_regularisation, normalize_noise
from stylegan_ada.projection.quality import psnr, ssim
from stylegan_ada.projection.search import pixel_term
from stylegan_ada.projection.starts import find_starts, sample_w, start_distances
from stylegan_ada.projection.tuning import load_deltas, save_deltas, tuned
from stylegan_ada.sampling import TrainedGenerator

SEEDS, LABELS = [5, 6, 7], ["bright", "dark", "bright"]


@pytest.fixture(scope="module")
def images(generator: TrainedGenerator) -> np.ndarray:
    return generator.sample(SEEDS, LABELS)


@pytest.fixture(scope="module")
def found(generator: TrainedGenerator, images: np.ndarray, pixels: Any) -> dict[str, Projection]:
    """By what is searched: the projection of the images after as many steps."""
    make = {"start": ("w", 1, False), "w": ("w", 60, False), "w+": ("w+", 60, False), "tuned": ("w+", 60, True)}
    return {
        name: project(generator, images, LABELS, space=space, steps=steps, tune=tune, distance=pixels, candidates=20)
        for name, (space, steps, tune) in make.items()
    }


def test_each_way_finds_more_of_the_image(found: dict[str, Projection]) -> None:
    start, w, w_plus, tuned_too = (np.median(found[name].psnr) for name in ("start", "w", "w+", "tuned"))
    assert w > start + 3
    assert w_plus > w + 0.5
    assert tuned_too > w_plus + 0.5
    assert np.median(found["tuned"].distances) < np.median(found["w+"].distances)


def test_what_is_found_gives_the_reconstruction(
    generator: TrainedGenerator, images: np.ndarray, found: dict[str, Projection]
) -> None:
    for name in ("w", "w+"):
        result = found[name]
        assert result.w.shape == (3, generator.network.num_ws, 8)
        assert (np.ptp(result.w.numpy(), axis=1).max() < 1e-6) == (name == "w")
        assert np.abs(render(generator, result.w, result.noise).astype(int) - result.images).max() <= 1
        assert result.labels == tuple(LABELS)
        np.testing.assert_allclose(result.psnr, psnr(images, result.images))


def test_a_result_does_not_depend_on_the_batch(generator: TrainedGenerator, images: np.ndarray, pixels: Any) -> None:
    options = {"distance": pixels, "candidates": 10, "steps": 15}
    together = project(generator, images, LABELS, **options)
    apart = project(generator, images[::-1], LABELS[::-1], batch=1, **options)
    torch.testing.assert_close(together.w, apart.w.flip(0), atol=1e-3, rtol=1e-3)
    np.testing.assert_allclose(together.distances, apart.distances[::-1], rtol=1e-2)
    assert (together.w[0] - together.w[2]).abs().max() > 0.1


def test_pixels_outside_the_mask_have_no_influence(
    generator: TrainedGenerator, images: np.ndarray, pixels: Any
) -> None:
    mask = np.zeros((1, 16, 16), np.float32)
    mask[:, 4:, :10] = 1
    other = np.where(mask[..., None] > 0, images, 255 - images)
    options = {"distance": pixels, "candidates": 10, "steps": 10, "mask": mask}
    result, same = (project(generator, part, ["dark"] * 3, **options) for part in (images, other))
    assert torch.equal(result.w, same.w)
    assert torch.equal(result.noise, same.noise)
    np.testing.assert_allclose(psnr(result.images, images, mask), result.psnr)
    assert (result.psnr > psnr(result.images, images)).all()


def test_the_class_is_searched(generator: TrainedGenerator, images: np.ndarray, pixels: Any) -> None:
    result = project(generator, images, "search", steps=1, distance=pixels, candidates=50)
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    nearest = []
    for image in x:
        tried = {}
        for name in generator.classes:
            starts = find_starts(generator, name, 50, 0)
            tried[name] = min(pixels(image[None], other[None]).item() for other in starts.images)
        nearest.append(min(tried, key=tried.__getitem__))
    assert list(result.labels) == nearest


def test_starts(generator: TrainedGenerator, images: np.ndarray, pixels: Any) -> None:
    starts = find_starts(generator, "dark", 5, 0)
    w = sample_w(generator, "dark").double()
    torch.testing.assert_close(starts.mean.double(), w.mean(dim=0), rtol=1e-4, atol=1e-5)
    assert starts.spread.item() == pytest.approx(math.sqrt(w.var(dim=0, correction=0).sum().item()), rel=1e-4)
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    table = [[pixels(image[None], start[None]).item() for start in starts.images] for image in x]
    mask = torch.rand(3, 1, 16, 16)
    for weight in (None, torch.ones(1, 1, 16, 16), torch.ones(3, 1, 16, 16)):
        torch.testing.assert_close(start_distances(starts, x, pixels, weight), torch.tensor(table))
    table = [[pixels(x[i : i + 1], start[None], mask[i : i + 1]).item() for start in starts.images] for i in range(3)]
    torch.testing.assert_close(start_distances(starts, x, pixels, mask), torch.tensor(table))


def test_without_classes_and_in_color(make_generator: Callable[..., Any] | type, pixels: Any) -> None:
    generator = make_generator(classes=(), channels=3)
    images = generator.sample([1, 2])
    first, last = (project(generator, images, steps=steps, distance=pixels, candidates=5) for steps in (1, 40))
    assert (last.psnr > first.psnr).all()
    assert last.labels == ()


def test_progress(generator: TrainedGenerator, images: np.ndarray, pixels: Any) -> None:
    done = []
    options = {"distance": pixels, "candidates": 1, "steps": 2, "batch": 2}
    project(generator, images, LABELS, progress=lambda *n: done.append(n), **options)
    assert done == [(2, 3), (3, 3)]


class Counting(Distance):
    seen = 0

    def _vectors(self, rgb: Tensor, mask: None) -> Tensor:
        self.seen += rgb.requires_grad * len(rgb)
        return rgb.flatten(1)


def test_an_image_that_is_flat_stops(
    generator: TrainedGenerator, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"candidates": 1, "steps": 60}
    moving, still = Counting(), Counting()
    project(generator, images[:1], LABELS[:1], distance=moving, **options)
    monkeypatch.setattr(search, "RATE", 0.0)
    project(generator, images[:1], LABELS[:1], distance=still, **options)
    assert 45 < still.seen < moving.seen == 60  # the noise on w is gone after 45 steps


def test_noise_regularisation_by_loops() -> None:
    shapes = [(4, 4), (16, 24)]
    noise = torch.randn(2, 16 + 384, dtype=torch.float64)
    expected = []
    for row in noise.numpy():
        maps = [row[:16].reshape(4, 4), row[16:].reshape(16, 24)]
        maps.append((maps[1][::2, ::2] + maps[1][1::2, ::2] + maps[1][::2, 1::2] + maps[1][1::2, 1::2]) / 2)
        total = 0.0
        for part in maps:  # 8x12 is the coarsest scale of the second
            height, width = part.shape
            across = down = 0.0
            for y in range(height):
                for x in range(width):
                    across += part[y, x] * part[y, x - 1]
                    down += part[y, x] * part[y - 1, x]
            total += (across / part.size) ** 2 + (down / part.size) ** 2
        expected.append(total)
    np.testing.assert_allclose(noise_regularisation(noise, shapes), expected, rtol=1e-10)


def test_noise_is_normalised_map_by_map() -> None:
    noise = torch.randn(2, 16 + 384) * 3 + 1
    normalize_noise(noise, [(4, 4), (16, 24)])
    for part in (noise[:, :16], noise[:, 16:]):
        torch.testing.assert_close(part.mean(dim=1), torch.zeros(2), atol=1e-6, rtol=0)
        torch.testing.assert_close(part.var(dim=1, correction=0), torch.ones(2))


def test_pixel_term_by_its_definition() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 1, 3, 16, 16))
    error, terms = x - y, []
    for side in (16, 8, 4):
        blocks = error.reshape(1, 3, side, 16 // side, side, 16 // side).mean(axis=(3, 5))
        terms.append((blocks**2).mean())
    assert pixel_term(torch.tensor(x), torch.tensor(y), None).item() == pytest.approx(np.mean(terms))


@pytest.mark.parametrize("shape", [(2, 8, 8, 1), (2, 32, 24, 3)])
def test_psnr_and_ssim_are_those_of_torchmetrics(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, shape, np.uint8)
    y = np.clip(x + rng.normal(0, 30, shape), 0, 255).astype(np.uint8)
    a, b = (torch.from_numpy(part).permute(0, 3, 1, 2).double() for part in (x, y))
    for index in range(2):
        one = a[index : index + 1], b[index : index + 1]
        expected = peak_signal_noise_ratio(*one, data_range=255.0)
        assert psnr(x, y)[index] == pytest.approx(expected.item(), rel=1e-6)
        expected = structural_similarity_index_measure(*one, data_range=255.0)
        assert ssim(x, y)[index] == pytest.approx(expected.item(), rel=1e-5)
    assert np.isinf(psnr(x, x)).all()
    np.testing.assert_allclose(ssim(x, x), 1)


def test_figures_inside_a_mask() -> None:
    x, y = np.random.default_rng(0).integers(0, 256, (2, 1, 32, 32, 1), np.uint8)
    mask = np.zeros((1, 32, 32))
    mask[:, :8, :8] = 1
    np.testing.assert_allclose(psnr(x, y, mask), psnr(x[:, :8, :8], y[:, :8, :8]))
    y[:, :13, :13] = x[:, :13, :13]  # as far as a window of the mask's pixels reaches
    assert ssim(x, y)[0] < 0.9
    np.testing.assert_allclose(ssim(x, y, mask), 1)
    y[:, :13, 12] = 255 - x[:, :13, 12]
    assert ssim(x, y, mask)[0] < 1 - 1e-6


def test_a_tuning_in_a_file(
    generator: TrainedGenerator, found: dict[str, Projection], make_generator: Callable[..., Any], tmp_path: Path
) -> None:
    result = found["tuned"]
    path = tmp_path / "tuned.safetensors"
    save_deltas(path, result.deltas[0], generator)
    again = tuned(generator, load_deltas(path, generator))
    assert np.abs(render(again, result.w[:1], result.noise[:1]).astype(int) - result.images[:1]).max() <= 1
    assert np.abs(render(generator, result.w[:1], result.noise[:1]).astype(int) - result.images[:1]).max() > 1
    with pytest.raises(UserError, match="another generator"):
        load_deltas(path, make_generator(channels=3))
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="not a tuning"):
        load_deltas(path, generator)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((1, 8, 8, 1), np.uint8)}, r"takes uint8 \[N, 16, 16, 1\]"),
        ({"images": np.zeros((1, 16, 16, 1), np.float32)}, "takes uint8"),
        ({"space": "v"}, "choose from 'w', 'w[+]'"),
        ({"steps": 0}, "give 1 or more"),
        ({"labels": ["brigt"]}, "did you mean 'bright'"),
        ({"labels": ["dark", "dark"]}, "give one each"),
        ({"labels": None}, '"search"'),
        ({"labels": "dark"}, "give a list"),
        ({"mask": np.zeros((1, 16, 16))}, "not all zero"),
        ({"mask": np.ones((16, 16))}, "mask is"),
    ],
)
def test_bad_input(generator: TrainedGenerator, pixels: Any, change: dict[str, Any], message: str) -> None:
    arguments = {"images": np.zeros((1, 16, 16, 1), np.uint8), "labels": ["dark"], "distance": pixels} | change
    with pytest.raises(UserError, match=message):
        project(generator, **arguments)
