import dataclasses
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylegan_ada import UserError
from stylegan_ada.metrics import find_copies
from stylegan_ada.metrics.evaluate import RealImages, closest_pairs, compute_features, places_in_shares, real_images
from stylegan_ada.metrics.feature_cache import feature_file
from stylegan_ada.metrics.networks.lite0 import Lite0Features
from stylegan_ada.metrics.table import measure


@pytest.fixture
def everything(make_dataset: Callable[..., Any]) -> Callable[..., Any]:
    """A set of which all images are trained on and compared with."""

    def make(**options: str | tuple[Any, ...] | None) -> RealImages:
        dataset = make_dataset(**options)
        return real_images(dataset, np.arange(len(dataset)), np.arange(0))

    return make


def corners(images: np.ndarray) -> np.ndarray:
    """[N, C, H, W] -> what the fake features are."""
    return np.stack([images[:, 0, 0, 0], images[:, 0, -1, -1]], axis=1)


def test_features_of_real_and_generated_images(
    extractor: Any, make_generator: type, everything: Callable[..., Any]
) -> None:
    real = everything()
    features = compute_features(make_generator(), real, extractor, 50)
    np.testing.assert_array_equal(features.generated, np.repeat(np.arange(50)[:, None], 2, axis=1))
    np.testing.assert_array_equal(features.logits, features.generated / np.float32(100))
    np.testing.assert_array_equal(features.thumbnails, np.repeat(np.arange(50)[:, None], 64, axis=1))
    np.testing.assert_array_equal(features.real.trained_on_thumbnails, real.dataset.images.reshape(8, 64))
    assert features.real.held_out_thumbnails is None
    np.testing.assert_array_equal(features.pixels[:, :2], [[seed, 0] for seed in range(50)])
    means = real.dataset.images.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(features.real.reference_pixels[:, 0], means, rtol=1e-6)
    np.testing.assert_array_equal(features.real.reference, corners(real.dataset.images))
    np.testing.assert_array_equal(features.real.trained_on, features.real.reference)
    assert features.real.held_out is None
    np.testing.assert_array_equal(features.real.reference_labels, real.dataset.labels)
    np.testing.assert_array_equal(features.real.trained_on_labels, real.dataset.labels)
    assert features.real.classes == real.dataset.classes


def test_small_copies_are_kept_where_they_are_asked_for(
    extractor: Any, make_generator: type, make_dataset: Callable[..., Any]
) -> None:
    dataset = dataclasses.replace(make_dataset(), groups=tuple("aabbccdd"))
    real = real_images(dataset, np.array([0, 2, 3, 4, 6]), np.array([1, 5, 7]))
    features = compute_features(make_generator(), real, extractor, 40, pictures=True)
    np.testing.assert_array_equal(features.pictures[:, 0, 3, 3], np.arange(40))
    kept = features.real.pictures
    np.testing.assert_array_equal(kept.training.images, dataset.images[real.trained_on])
    np.testing.assert_array_equal(kept.training.labels, dataset.labels[real.trained_on])
    assert "".join(kept.training.groups) == "abbcd"
    np.testing.assert_array_equal(kept.held_out.images, dataset.images[real.held_out])
    assert kept.classes == 2
    without = compute_features(make_generator(), real, extractor, 40)
    assert without.pictures is None
    assert without.real.pictures is None
    assert measure(without, ("gan_test",))[1] == {"gan_test": "the images were not kept"}
    other = compute_features(
        make_generator(), RealImages(dataset=dataset, reference=np.arange(8)), extractor, 4, pictures=True
    )
    np.testing.assert_array_equal(other.real.pictures.training.images, dataset.images)


def test_held_out_images_are_compared_with_where_there_are_any(
    extractor: Any, make_generator: type, make_dataset: Callable[..., Any]
) -> None:
    dataset = make_dataset()
    trained_on, held_out = np.array([0, 2, 3, 4, 6]), np.array([1, 5, 7])
    features = compute_features(make_generator(), real_images(dataset, trained_on, held_out), extractor, 4)
    np.testing.assert_array_equal(features.real.reference, corners(dataset.images[held_out]))
    np.testing.assert_array_equal(features.real.held_out, features.real.reference)
    np.testing.assert_array_equal(features.real.trained_on, corners(dataset.images[trained_on]))
    np.testing.assert_array_equal(features.real.trained_on_thumbnails, dataset.images[trained_on].reshape(5, 64))
    np.testing.assert_array_equal(features.real.held_out_thumbnails, dataset.images[held_out].reshape(3, 64))
    np.testing.assert_array_equal(features.real.reference_labels, dataset.labels[held_out])
    np.testing.assert_array_equal(features.real.trained_on_labels, dataset.labels[trained_on])


def test_another_set_tells_nothing_of_what_was_trained_on(
    extractor: Any, make_generator: type, make_dataset: Callable[..., Any]
) -> None:
    features = compute_features(
        make_generator(), RealImages(dataset=make_dataset(), reference=np.arange(8)), extractor, 4
    )
    assert features.real.trained_on is None
    assert features.real.trained_on_labels is None


def test_seeds_are_disjoint_and_each_is_used_once(
    extractor: Any, make_generator: type, everything: Callable[..., Any]
) -> None:
    first, second = make_generator(), make_generator()
    compute_features(first, everything(), extractor, 70)
    compute_features(second, everything(), extractor, 70, seed=1)
    assert first.seeds == list(range(70))
    assert second.seeds == list(range(70, 140))


def test_generated_labels_are_those_of_the_reference(
    extractor: Any, make_generator: type, everything: Callable[..., Any], make_dataset: Callable[..., Any]
) -> None:
    generator = make_generator()
    features = compute_features(generator, everything(), extractor, 80)  # several batches
    assert Counter(generator.asked_labels) == {"bad": 60, "good": 20}
    assert [features.real.classes[label] for label in features.labels] == generator.asked_labels
    generator = make_generator()
    held = real_images(make_dataset(), np.array([0, 2, 3, 5, 6, 7]), np.array([1, 4]))
    compute_features(generator, held, extractor, 8)
    assert Counter(generator.asked_labels) == {"good": 8}


def test_without_labels_the_generator_gets_none(
    extractor: Any, make_generator: type, everything: Callable[..., Any]
) -> None:
    generator = make_generator(classes=())
    features = compute_features(generator, everything(labels=None), extractor, 5)
    assert generator.asked_labels == [None] * 5
    assert features.labels is None


@pytest.mark.parametrize("count", [2, 7, 10, 33, 100, 1000])
def test_labels_keep_their_shares(count: int) -> None:
    labels = np.random.default_rng(0).choice(5, size=100, p=[0.6, 0.2, 0.1, 0.07, 0.03])
    drawn = labels[places_in_shares(labels, count)]
    shares = np.bincount(labels, minlength=5) * count / 100
    assert len(drawn) == count
    assert np.abs(np.bincount(drawn, minlength=5) - shares).max() < 1


def test_features_of_a_set_are_computed_once(
    extractor: Any, make_generator: type, everything: Callable[..., Any]
) -> None:
    first = compute_features(make_generator(), everything(), extractor, 4)
    again = compute_features(make_generator(), everything(), extractor, 4)
    np.testing.assert_array_equal(again.real.reference, first.real.reference)
    assert extractor.extracted == [8, 4, 4]
    compute_features(make_generator(), everything(fingerprint="another"), extractor, 4)
    assert extractor.extracted == [8, 4, 4, 8, 4]


def test_an_unwritable_cache_only_warns(
    extractor: Any,
    make_generator: type,
    everything: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="not kept"):
        assert len(compute_features(make_generator(), everything(), extractor, 4).generated) == 4


def test_progress_counts_what_has_to_be_done(
    extractor: Any, make_generator: type, everything: Callable[..., Any]
) -> None:
    calls = []
    for _ in range(2):
        compute_features(
            make_generator(), everything(), extractor, 4, progress=lambda done, total: calls.append((done, total))
        )
    assert calls == [(8, 12), (12, 12), (4, 4)]


@pytest.mark.parametrize(
    ("generator", "dataset", "count", "message"),
    [
        ({}, {}, 1, "1 generated"),
        ({}, {"labels": (0,)}, 4, "1 real"),
        ({"image_shape": (3, 8, 8)}, {}, 4, "3x8x8 .* 1x8x8"),
        ({"image_shape": (1, 8, 16)}, {}, 4, "1x8x16 .* 1x8x8"),
        ({"classes": ()}, {}, 4, "trained without labels"),
        ({}, {"labels": None}, 4, "trained with labels"),
        ({}, {"classes": ("bad", "goood")}, 4, "'goood' .* did you mean 'good'"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    extractor: Any,
    make_generator: type,
    everything: Callable[..., Any],
    generator: dict[str, Any],
    dataset: dict[str, Any],
    count: int,
    message: str,
) -> None:
    with pytest.raises(UserError, match=message):
        compute_features(make_generator(**generator), everything(**dataset), extractor, count)
    assert not extractor.extracted


def test_closest_pairs(extractor: Any, make_generator: type, make_dataset: Callable[..., Any]) -> None:
    dataset = make_dataset()
    trained_on = np.array([1, 3, 4, 6])
    real, generator = real_images(dataset, trained_on, np.array([0, 2])), make_generator()
    features = compute_features(generator, real, extractor, 200, seed=1)
    copies = find_copies(features.generated, features.real.trained_on)
    generated, training = closest_pairs(generator, real, features, copies, 3)
    pixels = corners(dataset.images[trained_on]).astype(float)
    distances = np.array([np.hypot(*(pixels - seed % 256).T).min() for seed in range(200, 400)])
    found = [
        np.hypot(*(corners(t[None].transpose(0, 3, 1, 2))[0] - float(g[0, 0, 0])))
        for g, t in zip(generated, training, strict=True)
    ]
    np.testing.assert_allclose(found, np.sort(distances)[:3])


PROCESS = """
import sys, os, json, pathlib, numpy as np
sys.path.insert(0, {tests!r})
from conftest import FakeFeatures, FakeGenerator
from stylegan_ada import distributed
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.metrics.evaluate import compute_features, real_images
import torch
rank = next((rank for rank in range(3) if os.fork() == 0), 3)  # here, so that all this is imported once
os.environ.update(RANK=str(rank), WORLD_SIZE="4", LOCAL_RANK=str(rank), MASTER_ADDR="127.0.0.1", MASTER_PORT="29533")
distributed.start(torch.device("cpu"))
images = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), np.uint8)
dataset = ImageDataset(images, None, (), ("a", "b", "c"), (), "f")
generator, extractor = FakeGenerator(classes=()), FakeFeatures()
features = compute_features(generator, real_images(dataset, np.arange(3), np.arange(0)), extractor, 5)
small = features.thumbnails[:, 0].tolist()
found = [distributed.rank(), features.real.reference.tolist(), features.generated.tolist(), len(generator.seeds), small]
pathlib.Path({out!r}, f"{{distributed.rank()}}.json").write_text(json.dumps(found))
torch.distributed.destroy_process_group()
if rank == 3:
    assert sorted(os.wait()[1] for _ in range(3)) == [0, 0, 0]
"""


def test_processes_share_the_images_out(environment: dict[str, str], tmp_path: Path) -> None:
    """Also where there are fewer real images than processes."""
    script = tmp_path / "process.py"
    script.write_text(PROCESS.format(tests=str(Path(__file__).parent), out=str(tmp_path)))
    subprocess.run([sys.executable, script], env=environment, check=True, capture_output=True, timeout=120)
    found = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), np.uint8)
    assert len(found) == 4
    for _, reference, generated, _, small in found:
        np.testing.assert_array_equal(reference, corners(images))
        assert small == list(range(5))
        np.testing.assert_array_equal(generated, np.repeat(np.arange(5)[:, None], 2, axis=1))
    assert max(drawn for _, _, _, drawn, _ in found) == 2


def test_with_lite0(
    make_generator: type, everything: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real extractor gets the images with their axes in order, and its features are kept."""
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path))
    real = everything(labels=(0, 1, 0), image_shape=(3, 8, 12))
    generator, extractor = make_generator(image_shape=(3, 8, 12)), Lite0Features()
    features = compute_features(generator, real, extractor, 3)
    expected = extractor.extract([np.stack([np.moveaxis(image, 0, -1) for image in real.dataset.images])])
    np.testing.assert_allclose(features.real.reference, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        features.generated, extractor.extract([generator.sample_uint8([0, 1, 2])]), rtol=1e-3, atol=1e-5
    )
    assert features.logits.shape == (3, 1000)
    kept = feature_file(real.dataset.fingerprint, extractor.identity)
    np.testing.assert_array_equal(np.load(kept), features.real.reference)
