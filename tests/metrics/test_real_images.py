"""What the metrics say of photographs, over the everyday features: 400 solar cells of four classes, in two halves."""

import dataclasses

import numpy as np
import pytest
import torch

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.reading.samples import elpv_files
from stylegan_ada.metrics.feature_sets import FeatureSets, RealFeatures
from stylegan_ada.metrics.mathematics.thumbnails import thumbnails
from stylegan_ada.metrics.networks import make_extractor
from stylegan_ada.metrics.networks.lite0 import Lite0Features
from stylegan_ada.metrics.results import MetricResult
from stylegan_ada.metrics.table import measure

METRICS = ("kid", "precision", "recall", "density", "coverage", "intra_fid", "copies", "label_accuracy")


@pytest.fixture(scope="module")
def extractor() -> Lite0Features:
    return make_extractor("lite0", torch.device("cpu"))


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Images uint8 [400, H, W, C], sorted by class, labels, names of classes."""
    files = elpv_files()
    sure = [name for name in sorted(files) if name.split("/")[0][5:] in ("0.00", "1.00")]
    chosen = np.random.default_rng(0).permutation(sure)[:400]
    folder = tmp_path_factory.mktemp("cells")
    for name in chosen:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(files[name]())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path_factory.mktemp("cache")))
        dataset = load_dataset(str(folder), Preparation(size=(32, 32)))
    order = np.argsort(dataset.labels, kind="stable")
    return dataset.images[order].transpose(0, 2, 3, 1), dataset.labels[order], dataset.classes


@pytest.fixture(scope="module")
def halves(
    cells: tuple[np.ndarray, np.ndarray, tuple[str, ...]], extractor: Lite0Features
) -> tuple[np.ndarray, FeatureSets]:
    """A random half as what was trained on and is compared with; the other as generated."""
    images, labels, classes = cells
    features, small = extractor.features(extractor.extract([images])), thumbnails(images)
    known, other = (np.sort(half) for half in np.split(np.random.default_rng(1).permutation(len(images)), 2))
    real = RealFeatures(
        reference=features[known],
        trained_on=features[known],
        trained_on_thumbnails=small[known],
        reference_labels=labels[known],
        trained_on_labels=labels[known],
        classes=classes,
    )
    return known, FeatureSets(real=real, generated=features[other], labels=labels[other], thumbnails=small[other])


def results_of(features: FeatureSets, names: list[str] | tuple[str, ...] = METRICS) -> dict[str, MetricResult]:
    results, left_out = measure(features, names, resamples=0)
    assert not left_out
    return results


def test_two_halves_are_alike(halves: tuple[np.ndarray, FeatureSets]) -> None:
    _, halves = halves
    results = results_of(halves)
    assert results["kid"].low < 0 < results["kid"].high
    for name in ("precision", "recall", "density"):
        assert 0.8 < results[name].value < 1.2
    assert results["coverage"].value > 0.9
    copies = results["copies"]
    assert copies.low - 0.05 < copies.detail.control_share < copies.high + 0.05
    assert copies.value < 0.1
    cross_validated = halves.real.classifier.cross_validated()
    assert results["label_accuracy"].value == pytest.approx(cross_validated, abs=0.1)


def test_missing_classes_show(halves: tuple[np.ndarray, FeatureSets]) -> None:
    """Monocrystalline cells whatever is asked for."""
    _, halves = halves
    rng, labels = np.random.default_rng(0), halves.labels
    mono = [index for index, name in enumerate(halves.real.classes) if name.startswith("mono")]
    others = np.flatnonzero(np.isin(labels, mono))
    shown = [index if labels[index] in mono else rng.choice(others) for index in range(len(labels))]
    changed = {"generated": halves.generated[shown], "thumbnails": halves.thumbnails[shown]}
    whole, half = results_of(halves), results_of(dataclasses.replace(halves, **changed))
    assert half["kid"].low > whole["kid"].high
    assert half["recall"].value < 0.5 * whole["recall"].value
    assert half["coverage"].value < 0.6 * whole["coverage"].value
    assert half["precision"].value > 0.8
    assert half["label_accuracy"].value < 0.6 * whole["label_accuracy"].value
    for name, fid in half["intra_fid"].detail.items():
        before = whole["intra_fid"].detail[name]
        assert fid == before if name.startswith("mono") else fid > 2 * before


@pytest.mark.parametrize("deviation", [1, 4])
def test_a_replay_is_found(
    cells: tuple[np.ndarray, np.ndarray, tuple[str, ...]],
    halves: tuple[np.ndarray, FeatureSets],
    extractor: Lite0Features,
    deviation: int,
) -> None:
    """The training images with a little noise, in gray levels, instead of new ones."""
    (images, labels, _), (known, halves) = cells, halves
    some = known[::4]
    noise = np.random.default_rng(0).normal(0, deviation, images[some].shape)
    replayed = (images[some] + noise).round().clip(0, 255).astype(np.uint8)
    features = dataclasses.replace(
        halves,
        generated=extractor.features(extractor.extract([replayed])),
        labels=labels[some],
        thumbnails=thumbnails(replayed),
    )
    copies = results_of(features, ["copies"])["copies"]
    assert copies.value > 0.95
    assert copies.detail.control_share < 0.15
    np.testing.assert_array_equal(copies.detail.nearest, np.arange(0, 200, 4))
