"""GAN-test and GAN-train of images whose labels are to be seen."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from stylegan_ada.classifiers import small_cnn
from stylegan_ada.classifiers.judge import flat_targets
from stylegan_ada.cli import evaluate as command
from stylegan_ada.metrics.feature_sets import FeatureSets, RealFeatures
from stylegan_ada.metrics.judges import LabelledPictures, RealPictures, right
from stylegan_ada.metrics.table import measure

BOTH = ("gan_test", "gan_train")


def bars(n: int, seed: int, labels: np.ndarray | None = None) -> LabelledPictures:
    """Noise of 16x16 with a bright bar, upright or lying; labels: what the pictures say, random if not given."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n) if labels is None else labels
    images = rng.integers(0, 120, (n, 1, 16, 16), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        at = rng.integers(16)
        image[0, at if label else slice(None), slice(None) if label else at] += 100
    return LabelledPictures(images=images, labels=labels)


def features_of(training: LabelledPictures, held_out: LabelledPictures | None, made: LabelledPictures) -> FeatureSets:
    pictures = RealPictures(training=training, held_out=held_out, classes=2, device=torch.device("cpu"))
    rows = np.zeros((len((held_out or training).labels), 2))
    real = RealFeatures(reference=rows, pictures=pictures, classes=("up", "down"))
    return FeatureSets(real=real, generated=made.images[:, 0, 0, :2], labels=made.labels, pictures=made.images)


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_cnn, "FEWEST_STEPS", 60)
    monkeypatch.setattr(small_cnn, "MOST_STEPS", 60)
    monkeypatch.setattr(small_cnn, "CHECK_EVERY", 20)


class FirstPixel:
    """Names the label that the first pixel is."""

    def predict(self, images: np.ndarray) -> Any:
        return flat_targets(images[:, 0, 0, 0].astype(np.int64))


def test_its_mean_is_the_balanced_accuracy() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 300, p=[0.6, 0.3, 0.1, 0])
    predicted = np.where(rng.random(300) < 0.6, labels, rng.integers(0, 4, 300))
    images = np.tile(predicted.astype(np.uint8)[:, None, None, None], (1, 1, 8, 8))
    found = right(FirstPixel(), LabelledPictures(images=images, labels=labels))  # type: ignore[arg-type]
    assert found.mean() == pytest.approx(np.mean([(predicted[labels == k] == k).mean() for k in range(3)]))
    known = predicted < 3  # scikit-learn warns of a class that is only predicted
    some = right(FirstPixel(), LabelledPictures(images=images[known], labels=labels[known]))  # type: ignore[arg-type]
    assert some.mean() == pytest.approx(balanced_accuracy_score(labels[known], predicted[known]))


@pytest.mark.parametrize("held", [True, False])
def test_obeyed_labels_are_seen_and_others_are_not(few_steps: None, held: bool) -> None:
    training, held_out = bars(200, 0), bars(60, 1) if held else None
    good, left_out = measure(features_of(training, held_out, bars(200, 2)), BOTH)
    assert not left_out
    mixed = bars(200, 2).images, np.random.default_rng(7).integers(0, 2, 200)
    poor, _ = measure(features_of(training, held_out, LabelledPictures(images=mixed[0], labels=mixed[1])), BOTH)
    for name in BOTH:
        assert good[name].value > 0.85, name
        assert abs(poor[name].value - 0.5) < 0.2, name
        assert good[name].low <= good[name].value <= good[name].high
        assert good[name].detail.accuracy > 0.85
        assert good[name].detail.chance == 0.5
    assert good["gan_test"].detail.unseen == ("held-out images" if held else "40 images left out for that")
    assert good["gan_train"].detail.tested == ("60 held-out images" if held else "200 real images, none held out")
    table = command.as_table(good, "Fake", "images")
    assert "by a network that learned from real images, on" in table
    assert f"tested on {good['gan_train'].detail.tested}" in table
    assert '"real_on_real": ' in command.as_json_text(good, ("up", "down"), None, {})


def test_what_cannot_be_judged_is_said(few_steps: None) -> None:
    alike = bars(40, 0, np.zeros(40, np.int64))
    _, left_out = measure(features_of(alike, None, alike), BOTH)
    assert set(left_out.values()) == {"a classifier needs two classes or more"}
    _, left_out = measure(features_of(bars(200, 0), bars(30, 1), bars(6, 2)), ("gan_train",))
    assert "6 images" in left_out["gan_train"]
