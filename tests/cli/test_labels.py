"""What commands say of labels that are not as the manual has them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[..., Any]:
    """pictures(count): gray pictures img/00.png, img/01.png, ... in a folder, which it gives."""

    def make(count: int = 8) -> Path:
        (tmp_path / "set/img").mkdir(parents=True)
        for index in range(count):
            pixels = np.random.default_rng(index).integers(0, 256, (16, 16), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"set/img/{index:02}.png")
        return tmp_path / "set"

    return make


def test_a_class_that_no_image_has(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    pictures: Callable[..., Any],
    small: list[str],
    tmp_path: Path,
) -> None:
    folder = pictures()
    labels = [[f"img/{index:02}.png", 1 + index % 2] for index in range(8)]
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    note = "dataset.json has no image of class 0: left out"
    assert f"note: {note}" in command("data", "inspect", folder).out
    train = ["train", "--data", folder, "--out", tmp_path / "run", *small, "--kimg", "0.008"]
    begun = command(*train)
    assert begun.code == 0, begun
    assert note in begun.out + begun.err
    line = fails("generate", "images", tmp_path / "run", "--out", tmp_path / "no", "--count", "2", "--label", "0")
    assert "--label 0: no such class, choose from '1', '2'" in line
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["classes"] == ["1", "2"]
    (tmp_path / "run/config.json").write_text(json.dumps(config | {"classes": ["0", "1", "2"], "fingerprint": "old"}))
    line = fails(*train[:-1], "0.016")
    assert "this run began with 3 classes, '0', '1', '2', and now there are 2, '1', '2'" in line
    assert "use a new --out" in line


def test_columns_go_from_inspect_to_train(
    command: Callable[..., Any], pictures: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = pictures()
    rows = [f"{index:02},s{index},{'ab'[index % 2]},{'AB'[index // 4]}" for index in range(8)]
    (folder / "labels.csv").write_text("\n".join(["scan,shot,kind,side", *rows]))
    result = command("data", "inspect", folder, "--file-column", "scan", "--label-column", "side", "--json")
    assert result.code == 0, result
    found = json.loads(result.out)
    assert found["classes"] == {"A": 4, "B": 4}
    assert "8 without folder, without suffix" in found["notes"][0]
    assert "--file-column scan --label-column side" in found["command"]
