import json

import pytest
from click.testing import CliRunner

import stylegan_ada.sampling
from stylegan_ada.cli import evaluate as command


@pytest.fixture
def generator(extracted, make_generator, make_dataset, monkeypatch):
    """A run that holds a fake generator and set; what was asked for lies in `.asked`."""
    generator = make_generator()
    generator.asked = {}

    def load(path, device):
        generator.asked.update(path=path, device=str(device))
        return generator

    def data(run, source):
        generator.asked.update(run=run, source=source)
        return make_dataset()

    monkeypatch.setattr(stylegan_ada.sampling, "load_generator", load)
    monkeypatch.setattr(command, "run_dataset", data)
    return generator


def invoke(*arguments):
    result = CliRunner().invoke(command.evaluate, [*arguments, "--device", "cpu"], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_json(generator, tmp_path):
    result = invoke(str(tmp_path), "--json", "--count", "20")
    found = json.loads(result.stdout)
    assert set(found) == {"fid", "kid", "count"}
    assert found["count"] == 20
    assert set(found["fid"]) == set(found["kid"]) == {"value"}
    assert found["fid"]["value"] > 0
    assert result.stdout.count("\n") == 1
    assert generator.seeds == list(range(20))
    assert generator.asked == {"path": tmp_path, "device": "cpu", "run": tmp_path, "source": None}


def test_table(generator, tmp_path):
    result = invoke(str(tmp_path), "--data", "elsewhere", "--count", "20")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["FID", "KID", "count"]
    assert all(line.endswith(".") for line in lines)
    assert lines[2].split()[1] == "20"
    assert "8 real" in lines[2]
    assert generator.asked["source"] == "elsewhere"


def test_as_many_images_as_there_are_real_ones(generator, tmp_path, monkeypatch):
    assert json.loads(invoke(str(tmp_path), "--json").stdout)["count"] == 8
    monkeypatch.setattr(command, "MOST_IMAGES", 6)
    assert json.loads(invoke(str(tmp_path), "--json").stdout)["count"] == 6


def test_one_image_is_no_distribution(tmp_path):
    result = CliRunner().invoke(command.evaluate, [str(tmp_path), "--count", "1"])
    assert result.exit_code == 2
    assert "--count" in result.stderr
