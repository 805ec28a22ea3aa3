import pytest

from stylegan_ada.metrics.measurements import best_of, without_improvement
from stylegan_ada.metrics.words.findings import findings


def row(kid: float, kimg: float = 10.0, **other: float) -> dict[str, float]:
    usual = {"kid_error": 0.002, "p": 0.1, "r_t": 0.4, "copies": 0.04, "copies_control": 0.05, "copies_excess": -1.0}
    usual |= {"recall": 0.5, "recall_error": 0.02, "coverage": 0.6, "coverage_error": 0.02}
    usual |= {"label_accuracy": 0.7, "label_accuracy_error": 0.03, "label_chance": 0.4}
    return {"kid": kid, "kimg": kimg, **usual, **other}


GOOD = [row(0.1), row(0.08, 20), row(0.06, 30)]


def test_all_is_well() -> None:
    assert findings(GOOD[:1], 0.8) == ["first measurement: later ones are compared with it"]
    assert findings(GOOD, 0.8) == ["improving: 1000 x KID 60.0 after 80.0 at 20 kimg"]


@pytest.mark.parametrize(
    ("kids", "expected"),
    [
        ([0.0585], "within its error of the best"),
        ([0.0615], "within its error of the best"),
        ([0.07], "worse than the best: 1000 x KID 70.0 after 60.0 at 30 kimg"),
        ([0.0615, 0.0595, 0.0605], "flat: nothing better in 3 measurements"),
        ([0.0615, 0.0575, 0.0590], "within its error of the best"),
    ],
)
def test_progress(kids: list[float], expected: str) -> None:
    rows = GOOD + [row(kid, 40 + 10 * i) for i, kid in enumerate(kids)]
    (line,) = findings(rows, 0.8)
    assert line.startswith(expected)


def test_measurements_that_brought_nothing() -> None:
    """Small steps that each lie within the error count as none, though they add up."""
    assert without_improvement([]) == 0
    assert without_improvement(GOOD) == 0
    rows = [*GOOD, row(0.0585), row(0.062), row(0.0575)]
    assert without_improvement(rows) == 3
    assert without_improvement([*rows, row(0.05)]) == 0


@pytest.mark.parametrize(
    ("other", "cap", "word"),
    [
        ({"p": 0.8, "r_t": 0.75}, 0.8, "overfitting"),
        ({"p": 0.8, "r_t": 0.9, "r_v": 0.1}, 0.8, None),
        ({"p": 0.8, "r_t": 0.3, "r_v": 0.7}, 0.8, "overfitting"),
        ({"p": 0.5, "r_t": 0.9}, 0.8, None),  # the controller is at work
        ({"p": 0.0, "r_t": 0.9}, None, "overfitting"),
        ({"copies": 0.2, "copies_excess": 6.0}, 0.8, "copying: 20%"),
        ({"recall": 0.2}, 0.8, "collapsing: recall fell from 0.50 at 10 kimg to 0.20"),
        ({"recall": 0.45}, 0.8, None),
        ({"coverage": 0.3}, 0.8, "collapsing: coverage"),
        ({"coverage": 0.3, "coverage_error": 0.2}, 0.8, None),
        ({"label_accuracy": 0.45}, 0.8, "labels ignored: 45%"),
    ],
)
def test_what_goes_wrong(other: dict[str, float], cap: float | None, word: str | None) -> None:
    lines = findings([*GOOD, row(0.04, 40, **other)], cap)
    assert lines[0].startswith("improving")
    assert len(lines) == (1 if word is None else 2)
    if word:
        assert lines[1].startswith(word)


def test_an_attribute_that_is_ignored_is_named() -> None:
    """In place of what is said of whole combinations."""
    of_type = {"label_agreement type": 0.9, "label_chance type": 0.6, "label_error type": 0.03}
    of_age = {"label_agreement age": 0.05, "label_chance age": 0.0, "label_error age": 0.02}
    (line,) = findings([row(0.1, 10, **of_type, **of_age, label_accuracy=0.1)], None)[1:]
    assert line == "age ignored: generated images agree with it to 0.05, where 0.00 would be by chance"
    assert len(findings([row(0.1, 10, **of_age, label_weight=0.5)], None)) == 1


def test_without_labels() -> None:
    bare = {key: value for key, value in row(0.1).items() if not key.startswith("label")}
    assert len(findings([bare], None)) == 1


def test_a_generator_that_ignores_labels_is_not_the_best() -> None:
    before, half, after, later = (
        row(0.04, 10, label_weight=0.0),
        row(0.05, 20, label_weight=0.5),
        row(0.07, 30),
        row(0.068, 40),
    )
    before["label_accuracy"] = half["label_accuracy"] = 0.3  # as it must be then
    assert findings([before], 0.8) == ["first measurement: later ones are compared with it"]
    assert findings([before, half], 0.8) == ["labels count 50% now: 1000 x KID 50.0 after 40.0 at 10 kimg"]
    assert findings([before, half, after], 0.8)[0].startswith("labels count 100% now")
    assert best_of([before, half]) is half
    assert best_of([before, half, after]) is after
    assert best_of([before, half, after, later]) is later
    assert without_improvement([before, half, after]) == 0
    assert without_improvement([before, half, after, later]) == 1  # within its error
