import csv
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada import load_generator


def manifest(folder: Path) -> list[dict[str, str]]:
    with open(folder / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_images_and_manifest(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = command("generate", "images", trained_run, "--out", out, "--count", 40, "--psi", "0.7")
    assert result.code == 0, result
    rows = manifest(out)
    assert [int(row["seed"]) for row in rows] == list(range(40))
    assert {row["psi"] for row in rows} == {"0.7"}
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png")) == sorted(
        row["file"] for row in rows
    )
    generator = load_generator(trained_run)
    for row in rows[30:]:  # beyond the first batch
        assert row["file"].startswith(row["label"] + "/")
        pixels = np.asarray(Image.open(out / row["file"])).astype(int)
        alone = generator.sample([int(row["seed"])], [row["label"]], 0.7)[0, :, :, 0]
        assert np.abs(pixels - alone).max() <= 1
    assert set(Counter(row["label"] for row in rows)) == {"bright", "dark"}


def test_bf16_is_near_full_precision(
    command: Callable[..., Any], fails: Callable[..., Any], trained_run: Path, tmp_path: Path
) -> None:
    for precision in ("fp32", "bf16"):
        out = tmp_path / precision
        assert (
            command("generate", "images", trained_run, "--out", out, "--count", 4, "--precision", precision).code == 0
        )
    files = sorted(path.relative_to(tmp_path / "fp32") for path in (tmp_path / "fp32").rglob("*.png"))
    full, half = (
        np.stack([np.asarray(Image.open(tmp_path / name / file)).astype(int) for file in files])
        for name in ("fp32", "bf16")
    )
    assert 0 < np.abs(full - half).mean() < 1
    line = fails("generate", "grid", trained_run, "--out", tmp_path / "g.png", "--precision", "fp8")
    assert "--precision fp8: no such choice" in line


def test_one_label_and_seeds(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    command("generate", "images", trained_run, "--out", tmp_path / "out", "--label", "dark", "--seeds", "5-7")
    assert [(row["file"], row["label"]) for row in manifest(tmp_path / "out")] == [
        (f"dark/seed{seed:010d}.png", "dark") for seed in (5, 6, 7)
    ]


def test_balanced(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    command("generate", "images", trained_run, "--out", tmp_path / "out", "--count", 10, "--balanced")
    assert Counter(row["label"] for row in manifest(tmp_path / "out")) == {"bright": 5, "dark": 5}


def test_grid(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    result = command("generate", "grid", trained_run, "--out", tmp_path / "grid.png", "--columns", 3)
    assert result.code == 0, result
    with Image.open(tmp_path / "grid.png") as picture:
        width, height = picture.size
    assert height == 2 * 64
    assert 3 * 64 < width < 3 * 64 + 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", "3", "--label", "drak"], "did you mean 'dark'?"),
        (["--count", "0"], "--count: say how many"),
        ([], "--count: say how many"),
        (["--seeds", "9223372036854775808"], "give A-B"),
        (["--seeds", "9-3"], "--seeds 9-3: give A-B"),
        (["--seeds", "0-3", "--count", "3"], "are 4 images, --count says 3"),
        (["--count", "3", "--psi", "-1"], "--psi -1.0"),
        (["--count", "3", "--label", "dark", "--balanced"], "exclude each other"),
        (["--count", "3", "--device", "cuda"], "torch finds no GPU"),
    ],
)
def test_bad_options(
    fails: Callable[..., Any], trained_run: Path, tmp_path: Path, options: list[Any], message: str
) -> None:
    assert message in fails("generate", "images", trained_run, "--out", tmp_path / "out", *options)
    assert list(tmp_path.iterdir()) == []


def test_existing_output_is_left_alone(fails: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "it exists already" in fails("generate", "images", trained_run, "--out", tmp_path, "--count", "1")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_no_run_there(fails: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    assert "no generator there" in fails("generate", "images", tmp_path, "--out", tmp_path / "out", "--count", "1")
    message = fails("generate", "images", tmp_path / "bad.safetensors", "--out", tmp_path / "out", "--count", "1")
    assert "not a generator" in message


def test_nothing_is_left_where_writing_fails(
    fails: Callable[..., Any], trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Image.Image, path: BytesIO, *arguments: str, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    message = fails("generate", "images", trained_run, "--out", tmp_path / "out", "--count", "3", code=1)
    assert "No space left on device" in message
    assert list(tmp_path.iterdir()) == []


def test_class_names_never_lead_out_of_the_folder() -> None:
    from stylegan_ada.synthetic.write import class_folders

    names = class_folders(["../x", "a/b", "a\\b", "..", "", "/etc", "con:1", "Ok", "ok", "mono-0.33"])
    assert names == [".._x"[2:], "a_b", "a_b_", "_", "__", "_etc", "con_1", "Ok", "ok_", "mono-0.33"]
    assert not any(set(name) & set("/\\:") or name in (".", "..") for name in names)
