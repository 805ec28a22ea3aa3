from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from stylegan_ada import UserError
from stylegan_ada.metrics import Lite0Features, fid, kid
from stylegan_ada.metrics.evaluate import evaluate, labels_in_shares


def test_figures_are_those_of_the_features(extracted, make_generator, make_dataset):
    dataset = make_dataset()
    found = evaluate(make_generator(), dataset, 50)
    generated = np.repeat(np.arange(50.0)[:, None], 2, axis=1)
    real = np.stack([dataset.images[:, 0, 0, 0], dataset.images[:, 0, -1, -1]], axis=1).astype(float)
    assert found.fid == pytest.approx(fid(generated, real))
    assert found.kid == pytest.approx(kid(generated, real))
    assert (found.count, found.n_real) == (50, 8)


def test_seeds_are_disjoint_and_each_is_used_once(extracted, make_generator, make_dataset):
    first, second = make_generator(), make_generator()
    evaluate(first, make_dataset(), 70)
    evaluate(second, make_dataset(), 70, seed=1)
    assert first.seeds == list(range(70))
    assert second.seeds == list(range(70, 140))


def test_generated_labels_are_those_of_the_set(extracted, make_generator, make_dataset):
    generator = make_generator()
    evaluate(generator, make_dataset(), 8)
    assert Counter(generator.labels) == {"bad": 6, "good": 2}
    generator = make_generator()
    evaluate(generator, make_dataset(), 80)  # several batches
    assert Counter(generator.labels) == {"bad": 60, "good": 20}


def test_without_labels_the_generator_gets_none(extracted, make_generator, make_dataset):
    generator = make_generator(classes=())
    evaluate(generator, make_dataset(labels=None), 5)
    assert generator.labels == [None] * 5


@pytest.mark.parametrize("count", [2, 7, 10, 33, 100, 1000])
def test_labels_keep_their_shares(count):
    labels = np.random.default_rng(0).choice(5, size=100, p=[0.6, 0.2, 0.1, 0.07, 0.03])
    drawn = labels_in_shares(labels, count)
    shares = np.bincount(labels, minlength=5) * count / 100
    assert len(drawn) == count
    assert np.abs(np.bincount(drawn, minlength=5) - shares).max() < 1


def test_features_of_a_set_are_computed_once(extracted, make_generator, make_dataset):
    first = evaluate(make_generator(), make_dataset(), 4)
    again = evaluate(make_generator(), make_dataset(), 4)
    assert again == first
    assert extracted == [8, 4, 4]
    evaluate(make_generator(), make_dataset(fingerprint="another"), 4)
    assert extracted == [8, 4, 4, 8, 4]


def test_an_unwritable_cache_only_warns(extracted, make_generator, make_dataset, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="not kept"):
        assert evaluate(make_generator(), make_dataset(), 4).count == 4


def test_progress_counts_what_has_to_be_done(extracted, make_generator, make_dataset):
    calls = []
    for _ in range(2):
        evaluate(make_generator(), make_dataset(), 4, progress=lambda done, total: calls.append((done, total)))
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
    extracted, make_generator, make_dataset, generator, dataset, count, message
):
    with pytest.raises(UserError, match=message):
        evaluate(make_generator(**generator), make_dataset(**dataset), count)
    assert not extracted


def test_with_lite0(make_generator, make_dataset, monkeypatch, tmp_path):
    """The real extractor gets the images with their axes in order, and its features are kept."""
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path))
    dataset = make_dataset(labels=(0, 1, 0), image_shape=(3, 8, 12))
    generator = make_generator(image_shape=(3, 8, 12))
    found = evaluate(generator, dataset, 3)
    real = Lite0Features().extract([np.stack([np.moveaxis(image, 0, -1) for image in dataset.images])])
    generated = Lite0Features().extract([generator.sample([0, 1, 2])])
    assert found.fid == pytest.approx(fid(generated, real), rel=1e-3)
    (kept,) = Path(tmp_path, "features").iterdir()
    np.testing.assert_allclose(np.load(kept), real, rtol=1e-3, atol=1e-5)
