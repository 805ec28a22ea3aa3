import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from stylegan_ada.errors import UserError
from stylegan_ada.libraries.albumentations_files import import_albumentations, read_pipeline, write_pipeline

RESIZE = {"__class_fullname__": "Resize", "height": 4, "width": 6, "interpolation": 3, "p": 1.0}


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Any]:
    """saved(entry or text): a file that holds it, a dictionary as the transform of a pipeline's file."""

    def save(content: dict[str, Any] | str, name: str = "pipeline.yaml") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps({"transform": content}))
        return path

    return save


def compose(*transforms: dict[str, Any] | str) -> dict[str, Any]:
    return {"__class_fullname__": "Compose", "transforms": list(transforms)}


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as error:
        read_pipeline(path)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


def test_a_pipeline_that_was_written_does_the_same_when_read(tmp_path: Path) -> None:
    albumentations = import_albumentations()
    image = np.random.default_rng(0).integers(0, 256, (9, 12), dtype=np.uint8)
    pipeline = albumentations.Compose([albumentations.Resize(4, 6, interpolation=3), albumentations.InvertImg(p=1.0)])
    write_pipeline(pipeline, tmp_path / "pipeline.yaml")
    assert yaml.safe_load((tmp_path / "pipeline.yaml").read_text())["__version__"] == "2.0.8"
    for read in (read_pipeline, lambda path: albumentations.load(path, data_format="yaml")):
        result = read(tmp_path / "pipeline.yaml")(image=image)["image"]
        assert np.array_equal(result, pipeline(image=image)["image"])
        assert result.shape == (4, 6)


@pytest.mark.parametrize(
    "entry", [compose(RESIZE), RESIZE, {"__class_fullname__": "OneOf", "p": 1, "transforms": [RESIZE]}]
)
def test_json_and_a_single_transform_are_read(saved: Callable[..., Any], entry: dict[str, Any]) -> None:
    pipeline = read_pipeline(saved(entry, "pipeline.json"))
    assert isinstance(pipeline, import_albumentations().Compose)
    assert pipeline(image=np.zeros((8, 12, 3), np.uint8))["image"].shape == (4, 6, 3)


def test_names_of_older_versions_are_read(saved: Callable[..., Any]) -> None:
    entry = {**RESIZE, "__class_fullname__": "albumentations.augmentations.geometric.resize.Resize"}
    assert read_pipeline(saved(compose(entry)))(image=np.zeros((8, 8), np.uint8))["image"].shape == (4, 6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("- a\n  b: c", "is not YAML"),
        ("!!python/object/apply:os.system ['exit']", "is not YAML"),
        ("hello", "is no pipeline of albumentations, which looks like this: transform: {__class_fullname__"),
        ("transforms: []", "is no pipeline"),
        ("transform: &a {__class_fullname__: Compose, transforms: [*a]}", "without end"),
        ("[" * 5000, "lists lie in one another too deeply"),
        (compose("Resize"), "is no pipeline"),
        ({"__class_fullname__": "Compose"}, "Compose: Compose.__init__() missing 1 required"),
        (compose({**RESIZE, "__class_fullname__": "Resise"}), "no transform 'Resise', did you mean 'Resize'?"),
        (compose({**RESIZE, "height": -4}), "Resize: height: Input should be greater than or equal to 1"),
        (compose({**RESIZE, "hieght": 4}), "Resize: Argument(s) 'hieght' are not valid"),
        (compose({"__class_fullname__": "CLAHE", "clip_limit": "x", "p": 1}), "CLAHE: clip_limit: Input should be"),
        (compose({"__class_fullname__": "CLAHE"}), "CLAHE has no p: add p: 1.0"),
        (compose({"__class_fullname__": "Lambda", "p": 1, "name": "x"}), "no transform 'Lambda'"),
        ({"__class_fullname__": "OneOf", "p": 1, "transforms": {}}, "OneOf: transforms must be a list"),
    ],
)  # fmt: skip
def test_files_that_are_refused(saved: Callable[..., Any], content: dict[str, Any] | str, reason: str) -> None:
    assert reason in refusal(saved(content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "pipeline.yaml") == "cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    "name", ["os.system", "posix.system", "albumentations.core.serialization.os.system", "builtins.eval"]
)
def test_a_hostile_file_runs_nothing(saved: Callable[..., Any], tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary"
    arguments = {"command": f"touch {canary}", "source": f"open({str(canary)!r}, 'w')", "p": 1.0}
    assert f"no transform {name!r}" in refusal(saved(compose({"__class_fullname__": name, **arguments})))
    tag = f"transform: !!python/object/apply:os.system ['touch {canary}']"
    assert "is not YAML" in refusal(saved(tag))
    assert not canary.exists()


def test_the_import_asks_nothing_of_the_network() -> None:
    code = "import socket\ndef refuse(*_, **__): raise SystemExit('network')\nsocket.socket.connect = refuse\n"
    code += "socket.getaddrinfo = refuse\n"
    code += "from stylegan_ada.libraries.albumentations_files import import_albumentations as load\n"
    code += "load()\nimport os; print(os.environ['NO_ALBUMENTATIONS_UPDATE'])"
    environment = {name: value for name, value in os.environ.items() if name != "NO_ALBUMENTATIONS_UPDATE"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=300
    )
    assert done.stdout == "1\n"
