"""Whether images show attributes: by readers of features that say exactly what they are."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error

from stylegan_ada.labels.attribute import Attribute
from stylegan_ada.metrics.mathematics.attribute_agreement import AttributeReader
from stylegan_ada.metrics.mathematics.attribute_targets import Agreement, agreements_of, sizes_of, targets_of

TYPE = Attribute(name="type", kind="category", values=("a", "b", "c"), unknown=True)
FLAWS = Attribute(name="flaws", kind="several", values=("dent", "scratch"))
AGE = Attribute(name="age", kind="number", mean=40, spread=10, low=0, high=100, unknown=True)


def types(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features around a centre for each type, slices with every fifth unknown, and the types."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, n)
    slices = TYPE.encoded([None if i % 5 == 4 else TYPE.values[kind] for i, kind in enumerate(kinds)])
    return 5 * np.eye(3)[kinds] + rng.normal(size=(n, 3)), slices, kinds


def test_a_category_that_is_obeyed_by_three_in_four() -> None:
    features, slices, _ = types(400, 0)
    made, wanted, kinds = types(200, 1)
    wrong = np.random.default_rng(2).random(200) < 0.25
    asked = np.where(wrong, (kinds + 1) % 3, kinds)
    known = TYPE.known(wanted)
    asked_slices = TYPE.encoded([TYPE.values[kind] if sure else None for kind, sure in zip(asked, known, strict=True)])
    found = AttributeReader(TYPE, features, slices).judge(made, asked_slices)
    assert found.agreement == pytest.approx(accuracy_score(asked[known], kinds[known]), abs=0.02)
    assert found.of_real > 0.97
    assert found.chance == pytest.approx(np.bincount(asked[known]).max() / known.sum())
    unseen = types(60, 3)[:2]
    assert AttributeReader(TYPE, features, slices, unseen).judge(made, asked_slices).of_real > 0.95


def test_a_number_is_told_in_its_own_units() -> None:
    rng = np.random.default_rng(0)
    ages = rng.uniform(10, 90, 300)
    features = np.stack([ages / 7, rng.normal(size=300)], axis=1)
    slices = AGE.encoded([*ages[:250].tolist(), *[None] * 50])
    asked = rng.uniform(10, 90, 120)
    shown = asked + rng.normal(0, 8, 120)
    found = AttributeReader(AGE, features, slices).judge(
        np.stack([shown / 7, rng.normal(size=120)], axis=1), AGE.encoded(asked.tolist())
    )
    assert found.agreement == pytest.approx(np.corrcoef(shown, asked)[0, 1], abs=1e-3)
    assert found.error == pytest.approx(mean_absolute_error(asked, shown), rel=0.02)
    assert found.of_real > 0.999
    assert found.error_of_real < 0.5


def test_several_values_are_read_one_by_one() -> None:
    rng = np.random.default_rng(0)
    ones = rng.integers(0, 2, (300, 2))
    ones[:, 1] |= 1 - ones[:, 0]  # none has neither
    slices = ones.astype(np.float32)
    features = 6.0 * ones + rng.normal(size=(300, 2))
    asked = slices[:100].copy()
    asked[:30, 1] = 1 - asked[:30, 1]
    found = AttributeReader(FLAWS, features, slices).judge(features[:100], asked)
    assert found.agreement == pytest.approx(0.85, abs=0.02)
    expected = np.maximum(asked.mean(axis=0), 1 - asked.mean(axis=0)).mean()
    assert found.chance == pytest.approx(expected)


def test_what_cannot_be_learned_is_refused() -> None:
    features = np.random.default_rng(0).normal(size=(6, 2))
    with pytest.raises(ValueError, match="two classes"):
        AttributeReader(TYPE, features, TYPE.encoded(["a"] * 5 + ["b"]))
    with pytest.raises(ValueError, match="several numbers"):
        AttributeReader(AGE, features, AGE.encoded([3.0] * 6))


def test_columns_of_a_small_network() -> None:
    attributes = (TYPE, FLAWS, AGE)
    rows = [("b", ("dent",), 30.0), (None, ("dent", "scratch"), None), ("c", ("scratch",), 55.0)]
    vectors = np.concatenate(
        [one.encoded(column) for one, column in zip(attributes, zip(*rows, strict=True), strict=True)], axis=1
    )
    targets = targets_of(attributes, vectors)
    assert sizes_of(attributes) == (3, 2, 2)
    assert targets.choices.tolist() == [[1, 1, 0], [-1, 1, 1], [2, 0, 1]]
    np.testing.assert_allclose(targets.numbers[:, 0], [30, np.nan, 55], rtol=1e-6)
    found = agreements_of(attributes, targets, targets)
    assert [one.value for one in found] == pytest.approx([1, 1, 1])
    assert found[2] == Agreement(pytest.approx(1), pytest.approx(0))
