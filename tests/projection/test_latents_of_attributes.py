"""Directions and neighbours of a generator of attributes. Oracles: means by NumPy, label vectors by hand."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stylegan_ada.errors import UserError
from stylegan_ada.projection import directions, project
from stylegan_ada.projection.directions import class_direction, find_directions, named_direction
from stylegan_ada.projection.distance import Distance
from stylegan_ada.projection.latent_sets import write_latent_images
from stylegan_ada.projection.latents import Latents, vary
from stylegan_ada.projection.starts import sample_w
from stylegan_ada.sampling import TrainedGenerator

OF_VALUES = ("type=poly>type=mono", "type=poly>type=thin", "crack=no>crack=yes")
VECTORS = np.array(  # mono, poly, thin; age, known, unknown; no, yes
    [[1, 0, 0, -0.5, 1, 0, 1, 0], [0, 1, 0, 0, 1, 0, 1, 0], [0, 1, 0, 2.5, 1, 0, 0, 1], [0, 0, 1, 0, 0, 1, 1, 0]],
    np.float32,
)
SHARES = (2, 8, 4, 1)


def mapped(generator: TrainedGenerator, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """w [40000, w_dim] of label vectors [4, 8] in the shares of the training images, by other z."""
    z = torch.randn(40_000, 8, generator=torch.Generator().manual_seed(3))
    c = np.repeat(vectors, SHARES, axis=0)[np.arange(40_000) % sum(SHARES)]
    return generator.network.mapping(z, torch.from_numpy(c)).double().numpy()


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logistic regression of all 20,000 takes seconds."""
    monkeypatch.setattr(
        directions, "_sampled", lambda generator, label, seed: sample_w(generator, label, 200, seed).double().numpy()
    )


def test_directions_are_of_numbers_and_of_values(of_attributes: TrainedGenerator, few_samples: None) -> None:
    assert find_directions(of_attributes, 1).names == ("pc1", "age", *OF_VALUES)
    assert find_directions(of_attributes, 1, "type=mono", "age=90").names == ("pc1", "type=mono>age=90")
    with pytest.raises(UserError, match="has attributes, give both labels"):
        find_directions(of_attributes, 1, "type=mono")


def test_a_number_grows_from_a_spread_below_to_one_above(of_attributes: TrainedGenerator) -> None:
    """40 - 20 lies below what was seen, 30, and 40 + 20 does not lie above: -0.5 and 1 spreads."""
    low, high = VECTORS.copy(), VECTORS.copy()
    low[:, 3:6], high[:, 3:6] = (-0.5, 1, 0), (1, 1, 0)
    ends = [mapped(of_attributes, vectors) for vectors in (low, high)]
    found = named_direction(of_attributes, "age")
    assert found.names == ("age",)
    assert cosine(found.vectors[0], ends[1].mean(axis=0) - ends[0].mean(axis=0)) > 0.999
    both = np.concatenate(ends)
    np.testing.assert_allclose(found.spreads[0], (both @ found.vectors[0]).std(), rtol=0.05)
    np.testing.assert_allclose(found.centers[0], both.mean(axis=0), atol=0.05 * both.std())


@pytest.mark.parametrize("name", [*OF_VALUES, "poly-no crack>poly-crack", "type=thin>age=90,crack=yes"])
def test_a_direction_between_labels(of_attributes: TrainedGenerator, few_samples: None, name: str) -> None:
    start, end = name.split(">")
    found, expected = named_direction(of_attributes, name), class_direction(of_attributes, start, end)
    assert found.names == expected.names == (name,)
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    w = [sample_w(of_attributes, label, 2000, seed=1).numpy() for label in (start, end)]
    assert ((w[1] - w[0]).mean(axis=0) @ found.vectors[0]) > 0


def test_what_a_label_does_not_name_is_drawn(of_attributes: TrainedGenerator) -> None:
    """Of the images of type poly 8 in 12 are 40 years old, and 4 in 12 are cracked and 90."""
    w = sample_w(of_attributes, "type=poly", 10_000)
    assert torch.equal(w, sample_w(of_attributes, "type=poly", 10_000))
    of_the_rare = mapped(of_attributes, VECTORS[[2, 2, 2, 2]]).mean(axis=0)
    of_the_others = mapped(of_attributes, VECTORS[[1, 1, 1, 1]]).mean(axis=0)
    share = (w.double().numpy().mean(axis=0) - of_the_others) @ (of_the_rare - of_the_others)
    share /= np.square(of_the_rare - of_the_others).sum()
    assert abs(share - 4 / 12) < 0.05


def test_neighbours_of_a_label(of_attributes: TrainedGenerator) -> None:
    w = of_attributes.network.broadcast(torch.zeros(1, 8))[0]
    labels = ("type=poly,age=40,crack=no", "type=poly,age=90,crack=yes", "type=poly", None)
    sets = [vary(of_attributes, w, 0.5, 6, seed=2, label=label) for label in labels]
    for index in range(6):  # the same z with one of the two labels that there are
        assert any(torch.allclose(sets[2][index], one[index], atol=1e-6) for one in sets[:2])
    assert not torch.equal(sets[2], sets[3])
    with pytest.raises(UserError, match="no such value"):
        vary(of_attributes, w, 0.5, 1, label="type=tin")


def test_there_is_no_such_direction(of_attributes: TrainedGenerator) -> None:
    with pytest.raises(UserError, match="did you mean 'age'"):
        named_direction(of_attributes, "agee")
    with pytest.raises(UserError, match="no such value"):
        named_direction(of_attributes, "type=mono>type=tin")


def test_projecting_by_labels_and_by_search(of_attributes: TrainedGenerator, pixels: Distance) -> None:
    labels = ["type=mono,age=30,crack=no", "type=poly"]
    targets = of_attributes.sample_uint8([1, 2], labels)
    options = {"distance": pixels, "steps": 3, "candidates": 4}
    found = project(of_attributes, targets, labels, **options)
    assert found.labels == tuple(labels)
    alone = project(of_attributes, targets[1:], labels[1:], **options)  # drawn alike, whatever lies beside it
    np.testing.assert_allclose(alone.w[0], found.w[1], atol=1e-4)
    assert set(project(of_attributes, targets, "search", **options).labels) <= set(of_attributes.classes)
    with pytest.raises(UserError, match="no such value"):
        project(of_attributes, targets[:1], ["type=tin"], **options)


def test_images_lie_in_the_folders_of_their_classes(of_attributes: TrainedGenerator, tmp_path: Path) -> None:
    labels = ("type=mono,age=35,crack=no", "poly-crack", "type=thin,crack=yes", "type=poly")
    w = of_attributes.network.broadcast(torch.zeros(4, 8))
    noise = torch.zeros(4, of_attributes.network.synthesis.noise_size)
    write_latent_images(tmp_path, of_attributes, Latents(w, noise, labels, "w", "x"))
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*.png"))
    folders = ("mono-no crack", "poly-crack", "thin-crack", "poly")
    assert files == sorted(f"{folder}/latent{index:06d}.png" for index, folder in enumerate(folders))
    with open(tmp_path / "manifest.csv", newline="", encoding="utf-8") as file:
        assert [row["label"] for row in csv.DictReader(file)] == list(labels)
