import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from stylegan_ada.cli.data import data
from stylegan_ada.datasets import samples
from stylegan_ada.errors import UserError


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A sample set of two images in two classes, in the place of digits."""
    files = {}
    for name, colour in {"a/0.png": "red", "b/1.png": "blue"}.items():
        Image.new("RGB", (4, 5), colour).save(tmp_path / "one.png")
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
    assert found["unreadable"] == [{"file": "b/bad.png", "reason": "not a PNG, JPEG, TIFF, WebP or BMP image"}]
    assert found["duplicates"] == [["a/0.png", "b/copy.png"]]
    text = _run("inspect", tmp_path / "out").stdout
    for word in ("3 images, 2 classes", "  b: 2", "5x4 (3)", "RGB (3)", "  b/bad.png: not a", "a/0.png = b/copy.png"):
        assert word in text
    assert "warning: class 'a' has only one readable image" in text
    assert "unlabelled" in _run("inspect", tmp_path / "out", "--no-labels").stdout
