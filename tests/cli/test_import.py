"""`import`, and what becomes of the licence of imported weights."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from safetensors import safe_open


@pytest.fixture(scope="module")
def pickle_file(tmp_path_factory: pytest.TempPathFactory, snapshots: ModuleType) -> Path:
    path = tmp_path_factory.mktemp("pickle") / "network-snapshot.pkl"
    networks = {"G_ema": snapshots.generator(c_dim=2), "G": snapshots.generator(7, c_dim=2)}
    snapshots.write_snapshot(path, **networks, D=snapshots.discriminator(c_dim=2))
    return path


@pytest.fixture
def imported(command: Callable[..., Any], pickle_file: Path, tmp_path: Path) -> Path:
    out = tmp_path / "g.safetensors"
    assert command("import", pickle_file, "--out", out, "--classes", "good, bad", "--licence", "by leave").code == 0
    return out


def test_the_licence_goes_into_every_export(command: Callable[..., Any], imported: Path, tmp_path: Path) -> None:
    result = command("info", imported)
    assert "by leave" in result.out
    assert "good, bad" in result.out
    for suffix in ("safetensors", "onnx"):
        out = tmp_path / f"again.{suffix}"
        assert command("export", imported, "--format", suffix, "--out", out, "--licence", "mine").code == 0
        assert b"licence of these weights: by leave" in out.read_bytes()
    told = command("info", tmp_path / "again.safetensors").out
    assert "licence        mine" in told
    assert "licence of these weights: by leave" in told
    assert told.count("classes  ") == 1
    with safe_open(tmp_path / "again.safetensors", framework="np") as file:
        assert file.metadata()["licence"] == "mine"


def test_the_licence_goes_into_the_data_card(command: Callable[..., Any], imported: Path, tmp_path: Path) -> None:
    assert command("generate", "dataset", imported, "--per-class", "2", "--out", tmp_path / "set").code == 0
    assert "licence of these weights: by leave" in (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert "by leave" in json.loads((tmp_path / "set" / "dataset.json").read_text(encoding="utf-8"))["origin"]


def test_mistakes(
    fails: Callable[..., Any], command: Callable[..., Any], pickle_file: Path, imported: Path, tmp_path: Path
) -> None:
    assert "exists already" in fails("import", pickle_file, "--out", imported)
    assert "ends in .safetensors" in fails("import", pickle_file, "--out", tmp_path / "g.pkl")
    out = tmp_path / "new.safetensors"
    assert "--classes: 1 different names for 2 classes" in fails("import", pickle_file, "--out", out, "--classes", "a")
    assert "cannot be read" in fails("import", tmp_path / "none.pkl", "--out", out)
    assert "make a generator file of it first: stylegan-ada import" in fails("info", pickle_file)
    assert "g.safetensors: not a pickle" in fails("import", imported, "--out", out)
    assert not out.exists()
