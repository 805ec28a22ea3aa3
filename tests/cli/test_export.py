import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from stylegan_ada import load_generator


def test_onnx_of_a_run(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "g.onnx"
    result = command("export", trained_run, "--format", "onnx", "--out", out, "--uint8", "--licence", "MIT")
    assert result.code == 0, result
    assert "opset 20" in result.out
    assert "largest difference" in result.out
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == ["bright", "dark"]
    assert metadata["licence"] == "MIT"
    assert json.loads(metadata["training"])["training"]["batch"] == 8
    assert str(trained_run.parent) not in str(metadata)


def test_a_file_keeps_its_notes(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    assert command("export", trained_run, "--format", "safetensors", "--out", first, "--licence", "MIT").code == 0
    assert command("export", first, "--format", "safetensors", "--out", second).code == 0
    headers = []
    for path in (first, second):
        with safe_open(path, framework="np") as file:
            headers.append(file.metadata())
    assert headers[0] == headers[1]
    assert headers[0]["licence"] == "MIT"
    sampled = load_generator(second).sample([3], ["dark"])
    np.testing.assert_array_equal(sampled, load_generator(trained_run).sample([3], ["dark"]))


@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")
def test_pt2_of_a_part(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "g.pt2"
    result = command("export", trained_run, "--format", "pt2", "--out", out, "--part", "mapping")
    assert result.code == 0, result
    assert "of w" in result.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "onx", "--out", "a.onnx"], "--format onx: no such choice, did you mean 'onnx'?"),
        (["--format", "onnx", "--out", "a.pt2"], "ends in .onnx"),
        (["--format", "safetensors", "--out", "a.safetensors", "--part", "mapping"], "--part mapping: safetensors"),
        (["--format", "safetensors", "--out", "a.safetensors", "--uint8"], "--uint8: safetensors"),
        (["--format", "safetensors", "--out", "a.safetensors", "--noise", "input"], "--noise input: safetensors"),
        (["--format", "onnx", "--out", "a.onnx", "--part", "mapping", "--uint8"], "makes no images"),
        (["--format", "onnx", "--out", "a.onnx", "--part", "mapping", "--noise", "input"], "has no noise"),
        (["--format", "onnx", "--out", "a.onnx", "--part", "maping"], "did you mean 'mapping'?"),
        (["--format", "onnx", "--out", "no/a.onnx"], "there is no folder no"),
    ],
)
def test_bad_options(
    fails: Callable[..., Any],
    trained_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in fails("export", trained_run, *options)
    assert list(tmp_path.iterdir()) == []


def test_a_suffix_in_capital_letters(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    for name in ("safetensors", "pt2"):
        out = tmp_path / f"A.{name.upper()}"
        assert command("export", trained_run, "--format", name, "--out", out).code == 0
        assert out.stat().st_size > 1000


def test_an_existing_file_and_a_missing_run(fails: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_text("mine")
    assert "it exists already" in fails("export", trained_run, "--format", "onnx", "--out", tmp_path / "a.onnx")
    assert (tmp_path / "a.onnx").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    for run in (tmp_path / "empty", tmp_path / "nowhere"):
        assert "no generator there" in fails("export", run, "--format", "pt2", "--out", tmp_path / "b.pt2")
    assert not (tmp_path / "b.pt2").exists()


WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; exec(compile(open({0!r}).read(), {0!r}, 'exec'))"


def test_the_example_makes_the_images_without_torch(
    command: Callable[..., Any], trained_run: Path, root: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert command("export", trained_run, "--format", "onnx", "--out", tmp_path / "generator.onnx", "--uint8").code == 0
    example = root / "docs" / "examples" / "onnx_images.py"
    assert len(example.read_text().splitlines()) <= 20
    assert example.read_text() in (root / "docs" / "export.md").read_text()
    code = WITHOUT_TORCH.format(str(example))
    arguments = [str(tmp_path / "generator.onnx"), "dark", "bright", "dark"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    z = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 512), np.float32))
    expected = load_generator(trained_run).from_z(z, ["dark", "bright", "dark"], 0.7, noise="const").numpy()
    for index, name in enumerate(("dark", "bright", "dark")):
        pixels = np.asarray(Image.open(tmp_path / f"{index}-{name}.png")).astype(float)
        assert np.abs(pixels - np.clip(expected[index, 0] * 127.5 + 127.5, 0, 255)).max() < 0.51
