from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.metrics.networks.extractor import Extractor


class FakeGenerator:
    """Writes down what it is asked for; an image is its seed in every pixel."""

    def __init__(
        self, image_shape: tuple[int, int, int] = (1, 8, 8), classes: tuple[Any, ...] = ("good", "bad")
    ) -> None:
        self.image_shape, self.classes = image_shape, classes
        self.mask_kinds: tuple[str, ...] = ()
        self.seeds: list[int] = []
        self.labels = LabelSpace(classes, (1,) * len(classes))
        self.asked_labels: list[str | None] = []

    def sample_uint8(self, seeds: Any, labels: Any = None, truncation_psi: Any = 1.0) -> Any:
        assert truncation_psi == 1
        self.seeds += list(seeds)
        self.asked_labels += [None] * len(seeds) if labels is None else labels
        channels, height, width = self.image_shape
        return np.array([np.full((height, width, channels), seed % 256) for seed in seeds], np.uint8)


class FakeFeatures(Extractor):
    """Two features: the first pixel and the last; two logits. `extracted`: the number of images of each extraction."""

    identity = "fake"
    name = "Fake"

    def __init__(self, device: str = "cpu") -> None:
        super().__init__(device)
        self.extracted: list[int] = []

    def extract(self, batches: Iterator[Any], progress: Callable[..., Any] | None = None) -> np.ndarray:
        rows = super().extract(batches, progress)
        self.extracted.append(len(rows))
        return rows

    def logits(self, rows: np.ndarray) -> np.ndarray:
        return rows / 100

    def _of(self, images: np.ndarray) -> np.ndarray:
        return np.stack([images[:, 0, 0, 0], images[:, -1, -1, -1]], axis=1).astype(np.float32)


@pytest.fixture
def extractor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeFeatures:
    """Fake features, and an empty cache."""
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "cache"))
    return FakeFeatures()


@pytest.fixture
def make_generator() -> Any:
    return FakeGenerator


@pytest.fixture
def make_dataset() -> Any:
    def make(
        labels: list[int] | tuple[Any, ...] | None = (0, 1, 0, 0, 1, 0, 0, 0),
        classes: tuple[str, str] = ("bad", "good"),
        image_shape: tuple[int, int, int] = (1, 8, 8),
        fingerprint: str = "f",
    ) -> ImageDataset:
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
