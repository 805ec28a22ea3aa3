from typing import Any

import numpy as np
import pytest

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.metrics import evaluate as module


class FakeGenerator:
    """Writes down what it is asked for; an image is its seed in every pixel."""

    def __init__(self, image_shape=(1, 8, 8), classes=("good", "bad")):
        self.image_shape, self.classes = image_shape, classes
        self.seeds: list[int] = []
        self.labels: list[str | None] = []

    def sample(self, seeds, labels=None, truncation_psi=1.0):
        assert truncation_psi == 1
        self.seeds += seeds
        self.labels += [None] * len(seeds) if labels is None else labels
        channels, height, width = self.image_shape
        return np.array([np.full((height, width, channels), seed % 256) for seed in seeds], np.uint8)


class FakeFeatures:
    """Two features: the first pixel and the last."""

    dim = 2
    identity = "fake"
    extracted: list[int]

    def __init__(self, device):
        assert str(device) == "cpu"

    def extract(self, batches, progress=None):
        features = [np.stack([b[:, 0, 0, 0], b[:, -1, -1, -1]], axis=1).astype(np.float32) for b in batches]
        if progress is not None:
            progress(sum(map(len, features)))
        FakeFeatures.extracted.append(sum(map(len, features)))
        return np.concatenate(features)


@pytest.fixture
def extracted(monkeypatch, tmp_path) -> list[int]:
    """Fake features in place of Lite0's, and an empty cache; the number of images of each extraction so far."""
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "Lite0Features", FakeFeatures)
    FakeFeatures.extracted = []
    return FakeFeatures.extracted


@pytest.fixture
def make_generator() -> Any:
    return FakeGenerator


@pytest.fixture
def make_dataset() -> Any:
    def make(labels=(0, 1, 0, 0, 1, 0, 0, 0), classes=("bad", "good"), image_shape=(1, 8, 8), fingerprint="f"):
        count = 8 if labels is None else len(labels)
        return ImageDataset(
            images=np.random.default_rng(0).integers(0, 256, (count, *image_shape), np.uint8),
            labels=None if labels is None else np.array(labels, np.int64),
            classes=() if labels is None else classes,
            names=tuple(f"{index}.png" for index in range(count)),
            skipped=(),
            fingerprint=fingerprint,
        )

    return make
