import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.cli import main


def test_names_are_told_without_control_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a line end nor an escape sequence of a name reaches the terminal, from a folder's name or a file's."""
    place = tmp_path / "s\x1b[2Jt"
    for name in ("a\nb/0.png", "a\nb/1.png", "c/0.png", "c/1.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(place / name)
    (place / "c/x\ny<b>\x1b[31m.png").write_bytes(b"no image")
    main(["data", "inspect", str(place)])
    out = capsys.readouterr().out
    assert r"  c/x\ny<b>\x1b[31m.png: not a PNG" in out
    assert r"  a\nb: 2" in out.splitlines()
    (place / "labels.csv").write_text("file,label\nx,y\n")
    with pytest.raises(SystemExit):
        main(["data", "inspect", str(place)])
    error = capsys.readouterr().err
    assert error.startswith("stylegan-ada: error: labels.csv names 1 images")
    assert "\x1b" not in out + error


def test_a_zip_that_climbs_out_is_not_prepared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "one.png")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name in ("../../out.png", "a.png"):
            archive.write(tmp_path / "one.png", name)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit):
        main(["data", "prepare", str(tmp_path / "set.zip"), "--out", str(tmp_path / "new/out"), "--size", "8"])
    assert "outside its own folder" in capsys.readouterr().err
    assert [path for path in sorted(tmp_path.rglob("*")) if path != tmp_path / "new"] == before
