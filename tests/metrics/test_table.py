"""The table of metrics, and what is made from it."""

import importlib

import pytest
from click.testing import CliRunner

from stylegan_ada.cli import evaluate as command
from stylegan_ada.metrics.table import METRICS, Direction, Metric, default_metrics, pictured_metrics
from stylegan_ada.report.plots import QUALITY
from stylegan_ada.training import evaluation

BETTER = {  # from the papers and the meaning of each share; a density of real images among real ones is 1
    "fid": "lower", "kid": "lower", "precision": "higher", "recall": "higher", "density": None, "coverage": "higher",
    "intra_fid": "lower", "inception_score": "higher", "copies": "lower", "label_accuracy": "higher",
    "label_agreement": "higher",
    "gan_test": "higher", "gan_train": "higher",
}  # fmt: skip


@pytest.mark.parametrize("name", METRICS)
def test_every_entry_is_whole(name: str) -> None:
    metric = METRICS[name]
    assert callable(metric.function)
    assert isinstance(metric.direction, Direction)
    assert metric.sentence
    assert not metric.sentence.endswith(".")
    assert "better" not in metric.sentence


def test_directions() -> None:
    assert list(METRICS) == list(BETTER)
    for name, better in BETTER.items():
        expected = "" if better is None else f" ({better} is better)"
        assert METRICS[name].meaning == METRICS[name].sentence + expected


def test_each_function_stands_once() -> None:
    assert len({metric.function for metric in METRICS.values()}) == len(METRICS)


def test_a_new_entry_is_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "sharpness", Metric(METRICS["fid"].function, Direction.HIGHER, "how sharp"))
    try:
        help_text = CliRunner().invoke(importlib.reload(command).evaluate, ["--help"]).stdout
        assert "gan_train,sharpness" in "".join(help_text.split())
        assert command.parse_metrics("sharpness") == ("sharpness",)
        assert command.parse_metrics(None)[-1] == "sharpness"
    finally:
        monkeypatch.undo()
        importlib.reload(command)


def test_what_trains_networks_is_only_measured_by_name() -> None:
    assert pictured_metrics() == ("gan_test", "gan_train")
    assert command.parse_metrics(None) == default_metrics()
    assert set(default_metrics()) == set(METRICS) - {"gan_test", "gan_train", "label_agreement"}
    assert set(default_metrics(attributes=True)) - set(default_metrics()) == {"label_agreement"}
    assert not set(evaluation.MEASURED) & set(pictured_metrics())


def test_what_picks_metrics_knows_no_others() -> None:
    belonging = {"copies_control", "label_chance"}  # kept in a row beside their metrics
    assert set(evaluation.MEASURED) <= set(METRICS)
    assert {name for _, names in QUALITY for name in names} - belonging <= set(METRICS)
