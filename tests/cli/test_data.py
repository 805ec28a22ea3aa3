import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from stylegan_ada.cli.data import data
from stylegan_ada.datasets.inspect.example_sheet import CELL, GAP
from stylegan_ada.datasets.reading import samples
from stylegan_ada.errors import UserError


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A sample set of two images in two classes, in the place of digits."""
    files = {}
    for name, color in {"a/0.png": "red", "b/1.png": "blue"}.items():
        Image.new("RGB", (4, 5), color).save(tmp_path / "one.png")
        files[name] = (tmp_path / "one.png").read_bytes()
    (tmp_path / "one.png").unlink()
    readers = {name: (lambda content=content: content) for name, content in files.items()}
    monkeypatch.setitem(samples.SAMPLES, "digits", samples.Sample("digits", 1, "free for all", lambda: readers))
    return files


def _run(*words: object) -> Result:
    return CliRunner().invoke(data, [str(word) for word in words], catch_exceptions=False)


@pytest.mark.parametrize("exists", [False, True])
def test_sample_writes_labelled_folders(tiny: dict[str, bytes], tmp_path: Path, exists: bool) -> None:
    out = tmp_path / "deep" / "out"
    if exists:
        out.mkdir(parents=True)
    result = _run("sample", "digits", "--out", out)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"wrote 2 images to {out}", "free for all"]
    assert {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*.png")} == tiny
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_inspect_hands_the_split_on(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("test", 2)):
        for label in ("cat", "dog"):
            for number in range(count):
                path = tmp_path / "set" / split / label / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.effect_noise((32, 32), 40 + number).save(path)
    every = _run("inspect", tmp_path / "set").stdout
    assert "10 images, 2 classes" in every
    assert "folders train, test are splits, no classes: 10 images of all of them are taken; --split" in every
    some = _run("inspect", tmp_path / "set", "--split", "train").stdout
    assert "6 images, 2 classes" in some
    assert "--split train" in some.splitlines()[-1]
    with pytest.raises(UserError, match="no 'val'"):
        _run("inspect", tmp_path / "set", "--split", "val")


def test_sample_overwrites_nothing(tiny: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(UserError, match="it exists already"):
        _run("sample", "digits", "--out", tmp_path / "mine")
    with pytest.raises(UserError, match="it exists already"):
        _run("sample", "digits", "--out", tmp_path / "mine" / "file")
    with pytest.raises(UserError, match="did you mean 'digits'"):
        _run("sample", "digit", "--out", tmp_path / "new")
    assert [p.name for p in tmp_path.rglob("*")] == ["mine", "file"]


def test_a_failed_sample_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(samples.SAMPLES, "digits", samples.Sample("digits", 1, "", lambda: {"a/0.png": fail}))
    with pytest.raises(UserError, match="No space left"):
        _run("sample", "digits", "--out", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_inspect(tiny: dict[str, bytes], tmp_path: Path) -> None:
    _run("sample", "digits", "--out", tmp_path / "out")
    shutil.copy(tmp_path / "out/a/0.png", tmp_path / "out/b/copy.png")
    (tmp_path / "out/b/bad.png").touch()
    result = _run("inspect", tmp_path / "out", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["images"] == 3
    assert found["classes"] == {"a": 1, "b": 2}
    assert found["sizes"] == [{"height": 5, "width": 4, "count": 3}]
    assert found["modes"] == {"RGB": 3}
    assert found["unreadable"] == [
        {
            "file": "b/bad.png",
            "reason": "not a PNG, JPEG, TIFF, WebP, BMP, GIF, JPEG 2000, PPM, AVIF, .npy or DICOM image",
        }
    ]
    assert found["duplicates"] == [["a/0.png", "b/copy.png"]]
    text = _run("inspect", tmp_path / "out").stdout
    for word in ("3 images, 2 classes", "  b: 2", "5x4 (3)", "RGB (3)", "  b/bad.png: not a", "a/0.png = b/copy.png"):
        assert word in text
    assert "warning: class 'a' has only one readable image" in text
    assert "unlabelled" in _run("inspect", tmp_path / "out", "--no-labels").stdout


def test_inspect_proposes_a_command_that_runs(
    command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images of several sizes in a folder with a space. What `train` gives as reasons, `inspect` gives, too."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for index in range(12):
        path = tmp_path / "my images" / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (18 + index, 20), dtype=np.uint8)).save(path)
    (tmp_path / "runs" / "my images").mkdir(parents=True)
    text = command("data", "inspect", "my images").out
    words = shlex.split(text.splitlines()[-1])
    assert words[0] == "stylegan-ada"
    assert words[1:] == ["train", "--data", "my images", "--size", "16x20", "--out", "runs/my images-2"]
    done = command(*words[1:], "--dry-run")
    assert done.code == 0, done
    reasons = [line for line in done.err.splitlines() if line.startswith("--")]
    assert len(reasons) > 5
    assert set(reasons) <= {line.strip() for line in text.splitlines()}
    network = json.loads(done.out)["network"]
    assert (network["height"], network["width"], network["c_dim"]) == (16, 20, 2)
    found = json.loads(command("data", "inspect", "my images", "--json").out)
    assert shlex.split(found["command"]) == words
    assert set(reasons) <= set(found["reasons"])


def test_the_run_of_the_proposal_does_not_lie_among_the_images(
    tiny: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run("sample", "digits", "--out", tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    words = shlex.split(_run("inspect", ".").stdout.splitlines()[-1])
    assert words[-2:] == ["--out", str(tmp_path / "runs" / "out")]
    assert "--no-labels" in words  # a class of one image
    assert shlex.split(_run("inspect", "sample:digits").stdout.splitlines()[-1])[-1] == "runs/digits"


def test_sheet_has_a_row_per_class(tmp_path: Path) -> None:
    """Class a has 3 wide images of one gray level each, b 20 small square ones, of which every 20/8th is shown."""
    levels = {"a": [10, 20, 30], "b": list(range(100, 120))}
    for label, grays in levels.items():
        (tmp_path / "set" / label).mkdir(parents=True)
        for index, level in enumerate(grays):
            size = (200, 100) if label == "a" else (4, 4)
            Image.new("L", size, level).save(tmp_path / "set" / label / f"{index:02d}.png")
    (tmp_path / "set/b/bad.png").touch()
    _run("inspect", tmp_path / "set", "--sheet", tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    step, margin = CELL + GAP, sheet.shape[1] - 8 * (CELL + GAP)
    assert sheet.shape[0] == 2 * step + GAP
    rows = sheet[GAP + CELL // 2 :: step, margin + CELL // 2 :: step]
    assert rows.tolist() == [[10, 20, 30, *[255] * 5], [100, 102, 105, 107, 110, 112, 115, 117]]
    assert sheet[GAP + 2, margin + CELL // 2] == 255  # a wide image does not fill its cell
    assert sheet[step + GAP + 2, margin + CELL // 2] == 100
    assert (sheet[:, :margin] < 128).any()  # the names

    _run("inspect", tmp_path / "set", "--no-labels", "--sheet", tmp_path / "plain.png")
    plain = np.asarray(Image.open(tmp_path / "plain.png").convert("L"))
    cells = plain[GAP + CELL // 2 :: step, GAP + CELL // 2 :: step].ravel()
    assert cells.tolist() == [*levels["a"], *levels["b"], 255]


def test_sheet_overwrites_nothing(tiny: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "old.png").write_text("mine")
    for name, message in {"old.png": "exists already", "no/new.png": "no folder", "new.jpg": r"ends in \.png"}.items():
        with pytest.raises(UserError, match=f"--sheet .*{message}"):
            _run("inspect", "sample:digits", "--sheet", tmp_path / name)
    assert (tmp_path / "old.png").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_librarys_warning_names_the_image_and_no_source(tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0\x01\0\0\0\x01\0"  # cut off
    for number in range(3):
        path = tmp_path / "set" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.effect_noise((32, 32), 40 + number).save(path, exif=exif if number == 1 else b"")
    done = subprocess.run(
        [sys.executable, "-m", "stylegan_ada", "data", "inspect", str(tmp_path / "set")],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    told = [line for line in done.stderr.splitlines() if "EXIF" in line]
    assert told
    assert all(line.startswith("warning: 1.jpg: Corrupt EXIF data") for line in told)
    assert ".py" not in done.stderr
