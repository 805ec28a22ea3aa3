import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from stylegan_ada import api
from stylegan_ada.cli import evaluate as command
from stylegan_ada.metrics.evaluate import RealImages, real_images
from stylegan_ada.metrics.mathematics.pixel_statistics import FIGURES

KEYS = ["fid", "kid", "precision", "recall", "density", "coverage", "intra_fid", "inception_score", "copies",
        "label_accuracy"]  # fmt: skip


@pytest.fixture
def generator(
    extractor: Any, make_generator: type, make_dataset: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A run that holds a fake generator and set; what was asked for lies in `.asked`."""
    generator = make_generator()
    generator.asked = {}

    def load(path: Path, device: torch.device) -> Any:
        generator.asked.update(path=path, device=str(device))
        return generator

    def data(run: Path, source: str | None, load: Callable[..., Any]) -> RealImages:
        generator.asked.update(run=run, source=source)
        dataset = make_dataset(labels=[0, 1, 0, 0, 1, 0, 0, 0] * 3)
        return real_images(dataset, np.arange(len(dataset)), np.arange(0))

    def make_extractor(name: str, device: torch.device, image_size: tuple[int, int]) -> Any:
        assert image_size == generator.image_shape[1:]
        generator.asked.update(features=name)
        return extractor

    monkeypatch.setattr(api, "load_generator", load)
    monkeypatch.setattr(api, "run_images", data)
    monkeypatch.setattr(api, "make_extractor", make_extractor)
    return generator


def invoke(*arguments: str) -> Any:
    result = CliRunner().invoke(command.evaluate, [*arguments, "--device", "cpu"], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_json(generator: Any, tmp_path: Path) -> None:
    result = invoke(str(tmp_path), "--json", "--count", "40")
    assert result.stdout.count("\n") == 1
    found = json.loads(result.stdout)
    pixels = found.pop("pixels")
    assert list(found) == KEYS
    assert pixels["brightness"]["generated"] == pytest.approx(19.5)  # the mean of seeds 0 to 39
    assert pixels["brightness"]["ratio"] == pytest.approx(19.5 / pixels["brightness"]["real"])
    assert list(pixels) == list(FIGURES)
    for metric_result in found.values():
        assert {"value", "low", "high", "n_real", "n_fake"} <= set(metric_result)
        assert metric_result["low"] <= metric_result["value"] <= metric_result["high"]
        assert (metric_result["n_real"], metric_result["n_fake"]) == (24, 40)
    assert set(found["intra_fid"]["per_class"]) == {"bad", "good"}
    assert np.sum(found["label_accuracy"]["confusion"]) == 40
    assert generator.seeds == list(range(40))
    assert generator.asked == {
        "path": tmp_path, "device": "cpu", "run": tmp_path, "source": None, "features": "lite0"
    }  # fmt: skip


def test_table(generator: Any, tmp_path: Path) -> None:
    result = invoke(str(tmp_path), "--data", "elsewhere", "--count", "40", "--features", "x.onnx")
    words = [line.split()[0] for line in result.stdout.splitlines() if line and line[0] != " "]
    assert words[: len(KEYS)] == KEYS
    assert "40 generated images, by the features of Fake, against 24 images that were trained on." in result.stdout
    assert "The generated images have their labels in the shares of these real ones." in result.stdout
    assert "go by KID" in result.stdout
    assert any(line.split()[:2] == ["brightness", "19.50"] for line in result.stdout.splitlines())
    assert "good" in result.stdout
    assert result.stdout.splitlines()[1].endswith("biased for few images (lower is better)")
    assert generator.asked["source"] == "elsewhere"
    assert generator.asked["features"] == "x.onnx"


def test_only_some_metrics(generator: Any, tmp_path: Path) -> None:
    found = json.loads(invoke(str(tmp_path), "--json", "--count", "40", "--metrics", "kid, recall").stdout)
    assert list(found) == ["kid", "recall", "pixels"]


def test_what_cannot_be_measured_is_said(generator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(generator), "classes", (), raising=False)
    result = invoke(str(tmp_path), "--json", "--count", "3", "--metrics", "fid,recall,inception_score")
    assert list(json.loads(result.stdout)) == ["fid", "pixels"]
    assert "recall is left out: there is no neighbour number 3 among 3 rows" in result.stderr
    assert "inception_score is left out" in result.stderr


def test_unknown_metrics_are_refused(generator: Any, tmp_path: Path) -> None:
    for arguments, message in (
        (["fidd"], "did you mean 'fid'"),
        (["fid", "--pairs", "p.png"], "needs the metric copies"),
    ):
        result = CliRunner().invoke(command.evaluate, [str(tmp_path), "--metrics", *arguments])
        assert message in str(result.exception)


def test_pairs(generator: Any, tmp_path: Path) -> None:
    invoke(str(tmp_path), "--count", "40", "--metrics", "copies", "--pairs", str(tmp_path / "pairs.png"))
    with Image.open(tmp_path / "pairs.png") as picture:
        assert picture.height == 4 * 64  # two rows of pairs


def test_as_many_images_as_there_are_real_ones(generator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (str(tmp_path), "--json", "--metrics", "fid")
    assert json.loads(invoke(*arguments).stdout)["fid"]["n_fake"] == 24
    monkeypatch.setattr(api, "MOST_IMAGES", 6)
    assert json.loads(invoke(*arguments).stdout)["fid"]["n_fake"] == 6


def test_one_image_is_no_distribution(tmp_path: Path) -> None:
    result = CliRunner().invoke(command.evaluate, [str(tmp_path), "--count", "1"])
    assert result.exit_code == 2
    assert "--count" in result.stderr


def test_no_interval_is_null(generator: Any) -> None:
    from stylegan_ada.metrics.results import MetricResult

    metric_result = MetricResult(value=1.0, low=math.nan, high=math.nan, n_real=3, n_fake=4)
    assert json.loads(command.as_json_text({"fid": metric_result}, (), None, {}))["fid"]["low"] is None
    assert "nan" not in command.as_table({"fid": metric_result}, "Fake", "images")
