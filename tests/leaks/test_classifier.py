import numpy as np
import pytest
from sklearn.datasets import load_digits

from stylegan_ada.leaks.classifier import AugmentationClassifier


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load_digits().images.astype(np.float32)


@pytest.fixture(scope="module")
def classifier(digits: np.ndarray) -> AugmentationClassifier:
    """Taught on two thirds of the digits."""
    known = digits[::3], digits[1::3]
    known = np.concatenate(known)
    versions = {"upright": known, "turned": np.rot90(known, axes=(1, 2)), "inverted": 16 - known}
    return AugmentationClassifier({name: images.reshape(len(images), -1) for name, images in versions.items()})


def test_shares_are_those_of_a_known_mixture(digits: np.ndarray, classifier: AugmentationClassifier) -> None:
    """Digits that the classifier was not taught, 60% upright, 30% turned, 10% inverted."""
    new = digits[2::3]
    cuts = int(0.6 * len(new)), int(0.9 * len(new))
    upright, turned, inverted = np.split(new, cuts)
    mixture = np.concatenate([upright, np.rot90(turned, axes=(1, 2)), 16 - inverted]).reshape(len(new), -1)
    shares = classifier.shares(mixture)
    assert sum(shares.values()) == pytest.approx(1)
    for name, share in {"upright": 0.6, "turned": 0.3, "inverted": 0.1}.items():
        assert shares[name] == pytest.approx(share, abs=0.02)


def test_recognised_is_the_accuracy_on_images_that_were_not_seen(
    digits: np.ndarray, classifier: AugmentationClassifier
) -> None:
    new = digits[2::3]
    expected = {
        "upright": classifier.shares(new.reshape(len(new), -1))["upright"],
        "turned": classifier.shares(np.rot90(new, axes=(1, 2)).reshape(len(new), -1))["turned"],
        "inverted": 1.0,
    }
    assert classifier.recognised() == pytest.approx(expected, abs=0.02)


def test_versions_of_one_image_stay_in_one_fold() -> None:
    """Of images without any structure, identical versions are not told apart: not even by the image being known."""
    noise = np.random.default_rng(0).normal(size=(60, 64)).astype(np.float32)
    found = AugmentationClassifier({"one": noise, "same": noise.copy()}).recognised()
    assert sum(found.values()) == pytest.approx(1)
