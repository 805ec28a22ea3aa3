"""Inception score, intervals, and all metrics of real and generated features together."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.image.inception import InceptionScore

from stylegan_ada.metrics import fid, inception_score, kid_with_error, precision_recall
from stylegan_ada.metrics.feature_sets import FeatureSets, RealFeatures
from stylegan_ada.metrics.mathematics import intervals
from stylegan_ada.metrics.table import default_metrics, measure


def test_inception_score_of_known_cases() -> None:
    kinds = np.repeat(np.eye(4) * 50, 25, axis=0)
    mixed = kinds[np.random.default_rng(0).permutation(100)]
    assert inception_score(mixed, splits=1)[0] == pytest.approx(4, rel=1e-6)
    assert inception_score(np.zeros((20, 7)))[0] == pytest.approx(1)
    assert inception_score(np.tile(np.arange(7.0), (20, 1)))[0] == pytest.approx(1)


class Flat(torch.nn.Module):
    num_features = 6

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)


def test_inception_score_is_that_of_torchmetrics() -> None:
    logits = np.random.default_rng(0).normal(size=(60, 6)) * 3
    with pytest.warns(UserWarning, match="buffer"):
        theirs = InceptionScore(feature=Flat(), splits=1)
    theirs.update(torch.tensor(logits).reshape(-1, 3, 2, 1))
    with pytest.warns(UserWarning, match="freedom"):
        expected = float(theirs.compute()[0])
    assert inception_score(logits, splits=1)[0] == pytest.approx(expected, rel=1e-5)


def test_inception_score_needs_an_image_per_part() -> None:
    with pytest.raises(ValueError, match="at least 10"):
        inception_score(np.zeros((9, 4)))


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(300):
        low, high = intervals.of_mean(rng.random(80) < 0.3, seed)
        held += low <= 0.3 <= high
    assert 0.88 < held / 300 < 0.98


def test_an_interval_around_a_statistic_of_two_sets() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=400), rng.normal(size=300) + 1
    low, high = intervals.of_statistic(b.mean() - a.mean(), lambda i, j: b[j].mean() - a[i].mean(), 400, 300, 300)
    reach = 1.96 * np.sqrt(1 / 400 + 1 / 300)
    assert high - low == pytest.approx(2 * reach, rel=0.2)
    assert (high + low) / 2 == pytest.approx(b.mean() - a.mean())
    assert np.isnan(intervals.of_statistic(1.0, lambda i, j: 0.0, 4, 4, 0)).all()


def features(
    seed: int = 0,
    labels: bool = True,
    n: int = 120,
    m: int = 90,
    generated_classes: tuple[Any, ...] = (0, 1, 2),
    trained_on: np.ndarray | None = None,
    logits: np.ndarray | None = None,
) -> FeatureSets:
    """Three classes apart from each other."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(size=(3, 10)) * 4
    real_labels = np.sort(rng.integers(3, size=n))
    made = np.array(generated_classes)[np.arange(m) * len(generated_classes) // m]
    real = RealFeatures(
        reference=centres[real_labels] + rng.normal(size=(n, 10)),
        reference_labels=real_labels if labels else None,
        trained_on=trained_on,
        classes=("one", "two", "three") if labels else (),
    )
    return FeatureSets(
        real=real,
        generated=centres[made] + rng.normal(size=(m, 10)),
        labels=np.arange(m) * 3 // m if labels else None,
        logits=logits,
    )


def test_every_metric() -> None:
    rng = np.random.default_rng(1)
    both = features(trained_on=features().real.reference, logits=rng.normal(size=(90, 5)))
    results, left_out = measure(both, default_metrics())
    assert not left_out
    assert results["fid"].value == fid(both.real.reference, both.generated)
    assert results["kid"].value == kid_with_error(both.real.reference, both.generated)[0]
    assert (results["precision"].value, results["recall"].value) == precision_recall(
        both.real.reference, both.generated
    )
    for name, result in results.items():
        assert result.low <= result.value <= result.high, name
        assert result.high > result.low or result.value in (0, 1), name
        assert (result.n_real, result.n_fake) == (120, 90)


def test_intra_fid_is_the_mean_over_classes() -> None:
    both = features()
    results, _ = measure(both, ("intra_fid",))
    expected = {
        name: fid(both.real.reference[both.real.reference_labels == i], both.generated[both.labels == i])
        for i, name in enumerate(both.real.classes)
    }
    assert results["intra_fid"].detail == pytest.approx(expected)
    assert results["intra_fid"].value == pytest.approx(np.mean(list(expected.values())))


def test_a_missing_kind_shows() -> None:
    """The generator makes the first kind whatever it is asked for."""
    good, _ = measure(features(), ("recall", "coverage", "intra_fid", "label_accuracy", "precision"))
    poor, _ = measure(
        features(generated_classes=(0,)), ("recall", "coverage", "intra_fid", "label_accuracy", "precision")
    )
    assert good["recall"].value > 0.8 > 0.45 > poor["recall"].value
    assert good["coverage"].value > 0.8 > 0.45 > poor["coverage"].value
    assert poor["precision"].value > 0.8
    per_class = poor["intra_fid"].detail
    assert per_class["one"] < 0.2 * min(per_class["two"], per_class["three"])
    assert poor["label_accuracy"].value == pytest.approx(1 / 3, abs=0.05)
    assert good["label_accuracy"].value > 0.95


def test_two_draws_of_the_same_are_alike() -> None:
    results, _ = measure(features(n=600, m=600), ("kid", "precision", "recall", "coverage"))
    assert results["kid"].low < 0 < results["kid"].high
    assert min(results[name].value for name in ("precision", "recall", "coverage")) > 0.8


def test_what_cannot_be_had_is_said() -> None:
    results, left_out = measure(features(labels=False), default_metrics())
    assert set(left_out) == {"intra_fid", "inception_score", "copies", "label_accuracy"}
    assert set(results) == set(default_metrics()) - set(left_out)
    assert left_out["copies"] == "the images that were trained on are not known"


def test_the_classifier_learns_from_all_training_images() -> None:
    """Where the reference is a small held-out part."""
    whole, held = features(), features(seed=3, n=12)
    real = dataclasses.replace(
        held.real, trained_on=whole.real.reference, trained_on_labels=whole.real.reference_labels
    )
    both = dataclasses.replace(whole, real=real)
    results, _ = measure(both, ("label_accuracy",))
    assert results["label_accuracy"].n_real == 120
